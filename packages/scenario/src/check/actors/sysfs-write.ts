import { writeSysfs } from '@thplab/khugepaged-scheduler';
import { type Procedure, preempt } from '@thplab/sync';
import { z } from 'zod';
import type { Stage } from '../stage.js';
import { type ActorKind, actorKind, actorParams, type TargetDraft } from './actor.js';

interface Params extends TargetDraft {
  readonly path: string;
  readonly value: string;
}

/** A write to a file below transparent_hugepage/. What the kernel refuses is a finding. */
export const sysfsWrite: ActorKind = actorKind<Params>({
  name: 'sysfs-write',
  summary: 'writes a file below /sys/kernel/mm/transparent_hugepage/',
  params: actorParams<Params>({
    path: z.string().min(1).max(256),
    value: z.union([z.string().max(256), z.number()], { error: 'expected the text to write' }).transform(String),
  }),
  covers: 'page',
  runsIn: 'kernel',
  make: (stage, params) => () => run(stage, params),
});

function* run({ k, findings }: Stage, { path, value }: Params): Procedure<void> {
  yield preempt();
  const outcome = yield* writeSysfs(k, path, value);
  if (outcome.errno !== 0) findings.push(`writing ${JSON.stringify(value)} to ${path} fails with ${outcome.errno}`);
}
