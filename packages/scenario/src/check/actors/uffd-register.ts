/** UFFDIO_REGISTER. From then on the handler is promised to be asked before a hole of the range is filled (I6). */
import { LOCKLESS, lockless, userfaultfdRegister, VM, type Vpn } from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import { z } from 'zod';
import { isHole } from '../machine/is-hole.js';
import type { Stage, Target } from '../stage.js';
import { type ActorKind, actorKind, actorParams, type TargetDraft } from './actor.js';

interface Params extends TargetDraft {
  readonly mode?: 'missing' | 'wp' | undefined;
}

export const uffdRegister: ActorKind = actorKind<Params>({
  name: 'uffd-register',
  summary: 'registers pages with userfaultfd; in mode missing their holes must stay holes',
  params: actorParams<Params>({ mode: z.enum(['missing', 'wp']).optional().describe('default missing') }),
  covers: 'vma',
  runsIn: 'process',
  make: (stage, params, target) => () => run(stage, params.mode ?? 'missing', target),
});

function* run({ m, holes }: Stage, mode: 'missing' | 'wp', target: Target): Procedure<void> {
  const { mm, first, pages } = target;
  const bits = mode === 'missing' ? VM.UFFD_MISSING : VM.UFFD_WP;
  const result = yield* userfaultfdRegister(m, mm, first, pages, bits);
  if (result !== 0 || mode !== 'missing') return;
  for (let page = first as number; page < first + pages; page++) {
    if (isHole(lockless(m, LOCKLESS.processor), mm, page as Vpn)) holes.push({ mm, page: page as Vpn });
  }
}
