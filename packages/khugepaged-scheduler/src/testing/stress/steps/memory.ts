/** What happens to memory behind the processes' backs: pressure, splitting, failing allocations, LRU batches. */
import {
  allocFolio,
  deferredSplitScan,
  folioGet,
  folioHead,
  folioOrder,
  folioPut,
  GFP,
  injectAllocationFailure,
  lruAddDrainAll,
  type Pfn,
  splitFolioToOrder,
  tryToCompact,
  updateMirrors,
} from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import fc from 'fast-check';
import { readPage } from '../page-reader.js';
import type { Action } from '../step.js';
import type { Job, World } from '../world.js';
import { anyPage, choosePage, type PageChoice } from './target.js';

/** An action without effect on what processes see, described by a function. */
class Behind implements Action {
  private readonly name: string;
  private readonly body: (w: World) => Procedure<void>;

  constructor(name: string, body: (w: World) => Procedure<void>) {
    this.name = name;
    this.body = body;
  }

  prepare(w: World): Job<void> {
    return { name: this.name, process: 0, structural: false, run: () => this.body(w), deeds: () => [] };
  }

  toString(): string {
    return this.name;
  }
}

/** Somebody else takes memory, by blocks of an order, and keeps it: reclaim and compaction have to work. */
function* hog(w: World, count: number, order: number): Procedure<void> {
  const { m } = w.rig;
  for (let i = 0; i < count; i++) {
    const pfn = yield* allocFolio(m, order, order === 0 ? GFP.movable : GFP.transhuge, i % m.nodes);
    if (pfn === 0) return;
    w.hogged.push(pfn);
  }
}

// biome-ignore lint/correctness/useYield: a step of a task.
function* unhog(w: World, count: number): Procedure<void> {
  for (const pfn of w.hogged.splice(0, count)) folioPut(w.rig.m, pfn);
}

/** Splits the folio behind a page, as somebody who found it through the frame would. */
function* splitAt(w: World, choice: PageChoice, newOrder: number): Procedure<void> {
  const { m } = w.rig;
  const { mm, start } = choosePage(w, choice);
  const seen = readPage(m, mm, start);
  if (seen?.kind !== 'page') return;
  const head = folioHead(m, seen.where);
  if (folioOrder(m, head) === 0 || !m.locks.folioLock.tryLock(head)) return;
  folioGet(m, head);
  updateMirrors(m, head);
  yield* splitFolioToOrder(m, head, newOrder);
  m.locks.folioLock.unlock(head);
  const last = m.frame.refcount[head as Pfn] === 1;
  folioPut(m, head);
  if (!last) updateMirrors(m, head);
}

function* compact(w: World, order: number): Procedure<void> {
  for (let node = 0; node < w.rig.m.nodes; node++) yield* tryToCompact(w.rig.m, node, order);
}

function* scanDeferred(w: World, budget: number): Procedure<void> {
  for (let node = 0; node < w.rig.m.nodes; node++) yield* deferredSplitScan(w.rig.m, node, budget);
}

function* inject(w: World, order: number | undefined, nth: number, count: number): Procedure<void> {
  // Rules that are used up make room; of eight at least one is, because none is without end.
  const { failOrder, failCount } = w.rig.m.machine;
  const waiting = [...failOrder].filter((value, i) => value !== 0 && failCount[i] !== 0).length;
  if (waiting >= 4) return;
  injectAllocationFailure(w.rig.m, order === undefined ? { nth, count } : { order, nth, count });
  w.injected = true;
}

const hogs = fc
  .tuple(fc.integer({ min: 1, max: 60 }), fc.constantFrom(0, 0, 2, 3))
  .map(([count, order]) => new Behind(`Hog(${count}, order ${order})`, (w) => hog(w, count, order)));
const unhogs = fc.integer({ min: 1, max: 90 }).map((count) => new Behind(`Unhog(${count})`, (w) => unhog(w, count)));
const splits = fc.tuple(anyPage, fc.constantFrom(0, 0, 2, 3, 1)).map(([choice, order]) => {
  const name = `Split(process ${choice.process}, page ${choice.page}, to order ${order})`;
  return new Behind(name, (w) => splitAt(w, choice, order));
});
const scans = fc.integer({ min: 1, max: 10 }).map((n) => new Behind(`DeferredScan(${n})`, (w) => scanDeferred(w, n)));
const drains = fc.constant(new Behind('Drain', (w) => lruAddDrainAll(w.rig.m)));
const injections = fc
  .tuple(fc.option(fc.constantFrom(0, 2, 3, 4, 9)), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 }))
  .map(([order, nth, count]) => {
    const name = `FailAllocation(order ${order ?? 'any'}, ${nth}th, ${count} times)`;
    return new Behind(name, (w) => inject(w, order ?? undefined, nth, count));
  });

const compactions = fc
  .constantFrom(2, 3, 4, 9)
  .map((order) => new Behind(`Compact(order ${order})`, (w) => compact(w, order)));

/** See the head of the file. */
export const memories: fc.Arbitrary<Action> = fc.oneof(
  { weight: 2, arbitrary: hogs },
  { weight: 2, arbitrary: unhogs },
  { weight: 4, arbitrary: splits },
  { weight: 2, arbitrary: scans },
  { weight: 2, arbitrary: compactions },
  { weight: 1, arbitrary: drains },
  { weight: 1, arbitrary: injections },
);
