import { sysfsFile, writeSysfs } from '@thplab/khugepaged-scheduler';
import { type Procedure, preempt } from '@thplab/sync';
import { z } from 'zod';
import { atOnce } from '../../run/create-process.js';
import type { Stage } from '../stage.js';
import { type ActorKind, actorKind, actorParams, type Refusal, type TargetDraft } from './actor.js';

interface Params extends TargetDraft {
  readonly path: string;
  readonly value: string;
}

/** A write to a file below transparent_hugepage/. What the kernel refuses is a finding. */
export const sysfsWrite: ActorKind = actorKind<Params>({
  name: 'sysfs-write',
  summary: 'writes a file below /sys/kernel/mm/transparent_hugepage/',
  params: actorParams<Params>(
    {
      path: z.string().min(1).max(256),
      value: z.union([z.string().max(256), z.number()], { error: 'expected the text to write' }).transform(String),
    },
    'nothing',
  ),
  covers: 'page',
  runsIn: 'kernel',
  refuses,
  make: (stage, params) => () => run(stage, params),
});

/** A file that the kernel does not have, or a value that it does not take: tried once, and undone. */
function refuses({ k, raw }: Stage, { path, value }: Params): Refusal | undefined {
  const bytes = new Uint8Array(raw.arena.buffer);
  const before = bytes.slice();
  try {
    sysfsFile(k, path);
    const outcome = atOnce(k.m, writeSysfs(k, path, value));
    if (outcome.errno === 0) return undefined;
    const { name, message } = outcome as { readonly name: string; readonly message: string };
    return { key: 'value', message: `writing ${JSON.stringify(value)} to ${path} fails with ${name}`, hint: message };
  } catch (error) {
    if (!(error instanceof RangeError || (error instanceof Error && error.name === 'SysfsSchemaError'))) throw error;
    return { key: 'path', message: error.message, hint: 'name a file as "thplab sysfs tree" prints it' };
  } finally {
    bytes.set(before);
  }
}

function* run({ k, findings }: Stage, { path, value }: Params): Procedure<void> {
  yield preempt();
  const outcome = yield* writeSysfs(k, path, value);
  if (outcome.errno !== 0) findings.push(`writing ${JSON.stringify(value)} to ${path} fails with ${outcome.errno}`);
}
