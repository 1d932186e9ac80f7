/**
 * fork, then a write by the parent. The child must go on reading what was there when it was made (B23), and goes in the
 * end.
 */
import { dupMm, handleMmFault, LOCKLESS, lockless, type MmId, mmput, type Vpn } from '@thplab/mm-model';
import { type Procedure, preempt } from '@thplab/sync';
import { contentOf } from '../machine/content-book.js';
import type { Stage, Target } from '../stage.js';
import { type ActorKind, actorKind, actorParams } from './actor.js';

export const forkWrite: ActorKind = actorKind({
  name: 'fork-write',
  summary: 'forks, writes pages of the parent, and looks at what the child reads before and after',
  params: actorParams(),
  covers: 'page',
  runsIn: 'process',
  make: (stage, _params, target) => () => run(stage, target),
});

function* run(stage: Stage, target: Target): Procedure<void> {
  const { m, book } = stage;
  const child = yield* dupMm(m, target.mm);
  if (child === 0) return;
  const before = contents(stage, child, target);
  for (let page = 0; page < target.pages; page++) {
    const at = (target.first + page) as Vpn;
    yield* book.following(target.mm, at, handleMmFault(m, target.mm, at, { write: true }));
  }
  compare(stage, child, target, before);
  yield preempt();
  compare(stage, child, target, before);
  yield* mmput(m, child);
}

function contents({ m }: Stage, mm: MmId, { first, pages }: Target): number[] {
  const processor = lockless(m, LOCKLESS.processor);
  return Array.from({ length: pages }, (_, page) => contentOf(processor, mm, (first + page) as Vpn));
}

function compare(stage: Stage, child: MmId, target: Target, before: readonly number[]): void {
  const now = contents(stage, child, target);
  for (const [page, content] of now.entries()) {
    // While its table is out of the PMD nothing can be read: the child would wait in a fault.
    if (content === before[page] || content === -1 || before[page] === -1) continue;
    stage.findings.push(`fork: the child reads ${content} in ${target.text}, but had ${before[page]} when it was made`);
  }
}
