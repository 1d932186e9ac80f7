import { mprotect as mprotectCall, VM } from '@thplab/mm-model';
import type { z } from 'zod';
import type { Protection } from '../../format/index.js';
import { protection } from '../../format/schema-process.js';
import { type ActorKind, actorKind, actorParams, type TargetDraft } from './actor.js';
import { ignoring } from './results.js';

interface Params extends TargetDraft {
  readonly prot: Protection;
}

/** mprotect(2). */
export const mprotect: ActorKind = actorKind<Params>({
  name: 'mprotect',
  summary: 'changes the access rights of pages',
  params: actorParams<Params>({ prot: protection() as z.ZodType<Protection> }),
  covers: 'vma',
  runsIn: 'process',
  make:
    ({ m }, { prot }, { mm, first, pages }) =>
    () =>
      ignoring(mprotectCall(m, mm, first, pages, accessOf(prot))),
});

function accessOf(prot: Protection): number {
  return (prot.read ? VM.READ : 0) | (prot.write ? VM.WRITE : 0) | (prot.exec ? VM.EXEC : 0);
}
