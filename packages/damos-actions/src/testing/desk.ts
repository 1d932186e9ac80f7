/** DAMON's sysfs tree over a machine with one process, written and read as a user does. */
import { mmput } from '@thplab/mm-model';
import { DAMON_ROOT } from '@thplab/sysfs-schema';
import { expect } from 'vitest';
import { damon618, damonMm, damonRfcV2 } from '../profile.js';
import { DamonAdmin } from '../sysfs/admin.js';
import { type DamonWorld, makeDamonWorld, makeProcess } from './damon-world.js';
import type { SysfsCase, SysfsStep } from './golden-edge-cases.js';

/** First page and number of pages of the process. */
export const BASE = 0x80000;
export const PAGES = 4 * 512;
const PID = 4242;

/** See the head of the file. */
export interface Desk {
  readonly w: DamonWorld;
  readonly admin: DamonAdmin;
  readonly mm: ReturnType<typeof makeProcess>['mm'];
  /** Writes a file below kdamonds/; 'ok' or the errno. */
  write(path: string, text: string): string;
  read(path: string): string | undefined;
}

/** A desk; the profile decides which tree it is. */
export function makeDesk(profile = damonMm): Desk {
  const w = makeDamonWorld();
  const { mm } = makeProcess(w, BASE, PAGES);
  const tree = profile === damon618 ? 'v6.18' : profile === damonRfcV2 ? 'damon-rfc' : 'mm-2026';
  const admin = new DamonAdmin({
    machine: w.m,
    profile,
    tree,
    collapse: w.collapse,
    startThread: (name, procedure, options) => w.executor.spawn(name, procedure, options).id,
    mmOfPid: (pid) => (pid === PID ? mm : undefined),
    extras: () => ({ locking: 'batch', seed: 1 }),
  });
  return {
    w,
    admin,
    mm,
    write: (path, text) => {
      const outcome = w.run(() => admin.write(`${DAMON_ROOT}/kdamonds/${path}`, `${text}\n`));
      return outcome.ok ? 'ok' : outcome.errno;
    },
    read: (path) => admin.read(`${DAMON_ROOT}/kdamonds/${path}`)?.trimEnd(),
  };
}

/** One kdamond for the process's memory, with a scheme that every region fits. */
const SET_UP: readonly (readonly [string, string])[] = [
  ['nr_kdamonds', '1'],
  ['0/contexts/nr_contexts', '1'],
  ['0/contexts/0/operations', 'fvaddr'],
  ['0/contexts/0/targets/nr_targets', '1'],
  ['0/contexts/0/targets/0/pid_target', String(PID)],
  ['0/contexts/0/targets/0/regions/nr_regions', '1'],
  ['0/contexts/0/targets/0/regions/0/start', String(BASE * 4096)],
  ['0/contexts/0/targets/0/regions/0/end', String((BASE + PAGES) * 4096)],
  ['0/contexts/0/schemes/nr_schemes', '1'],
  ['0/contexts/0/schemes/0/access_pattern/sz/max', '18446744073709551615'],
  ['0/contexts/0/schemes/0/access_pattern/nr_accesses/max', '4294967295'],
  ['0/contexts/0/schemes/0/access_pattern/age/max', '4294967295'],
];

/** Writes the set-up, then more; all is taken. */
export function setUp(desk: Desk, more: readonly (readonly [string, string])[] = []): void {
  for (const [path, value] of [...SET_UP, ...more]) expect([path, desk.write(path, value)]).toEqual([path, 'ok']);
}

/** Plays a case, step by step. */
export function playSysfsCase({ setUp: isSetUp, steps }: SysfsCase): void {
  const desk = makeDesk();
  if (isSetUp) setUp(desk);
  for (const [number, step] of steps.entries()) playStep(desk, number, step);
}

function playStep(desk: Desk, number: number, step: SysfsStep): void {
  if ('write' in step) expect([number, desk.write(...step.write)]).toEqual([number, step.result]);
  if ('pass' in step) desk.w.pass(step.pass);
  if ('exit' in step) desk.w.run(() => mmput(desk.w.m, desk.mm));
  if ('read' in step && 'is' in step) expect([number, desk.read(step.read)]).toEqual([number, step.is]);
  if ('read' in step && 'atLeast' in step) {
    expect(Number(desk.read(step.read)), `step ${number}`).toBeGreaterThanOrEqual(step.atLeast);
  }
  if ('schemes' in step) expect([number, desk.admin.context(0)?.runningSchemes.length]).toEqual([number, step.schemes]);
}
