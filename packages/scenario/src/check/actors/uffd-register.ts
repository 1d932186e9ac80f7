/** UFFDIO_REGISTER. From then on the handler is promised to be asked before a hole of the range is filled (I6). */
import {
  type FileId,
  LOCKLESS,
  linearIndex,
  lockless,
  type Machine,
  type MmId,
  pageCacheLookup,
  pageCacheSwapSlot,
  userfaultfdRegister,
  VM,
  type Vpn,
  vmaAt,
} from '@thplab/mm-model';
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
    const tables = lockless(m, LOCKLESS.processor);
    if (isHole(tables, mm, page as Vpn) && !isInFile(tables, mm, page as Vpn)) holes.push({ mm, page: page as Vpn });
  }
}

/** Only what nobody has is missing: a page of the file that is in memory, or in swap, may be mapped. */
function isInFile(m: Machine, mm: MmId, page: Vpn): boolean {
  const vma = vmaAt(m, mm, page);
  const file = (vma === 0 ? 0 : m.vma.file[vma]) as FileId | 0;
  if (vma === 0 || file === 0) return false;
  const index = linearIndex(m, vma, page);
  return pageCacheLookup(m, file, index) !== 0 || pageCacheSwapSlot(m, file, index) !== 0;
}
