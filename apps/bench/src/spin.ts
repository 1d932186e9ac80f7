/**
 * Spin, the model checker, on the same protocol as our search (native/collapse.pml): the state of the art for this kind of
 * question. It stores states and compares them; our search runs the real procedures and stores none.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { timeOnce } from './measure.js';
import type { BenchRow } from './report.js';
import type { SkeletonTasks } from './skeleton.js';

const MODEL = fileURLToPath(new URL('../native/collapse.pml', import.meta.url));

/** What to do where `spin` is not to be had. */
export const SPIN_MISSING =
  'row of Spin left out: it takes "spin" and "cc" on PATH (apt-get install spin; without root: apt-get download spin, dpkg -x spin_*.deb DIR, DIR/usr/bin on PATH)';

/** Spin's exhaustive search of the skeleton; undefined without a working `spin` and `cc`. Errors: it finds a violation. */
export function spinRow(tasks: SkeletonTasks): BenchRow | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'thplab-spin-'));
  const run = (command: string, ...args: string[]): string | undefined => {
    const { status, stdout } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' });
    return status === 0 ? stdout : undefined;
  };
  try {
    if (run('spin', '-a', `-DFAULTS=${tasks.faults}`, `-DWALKS=${tasks.walks}`, MODEL) === undefined) return undefined;
    if (run('cc', '-O2', '-o', 'pan', 'pan.c') === undefined) return undefined;
    let said: string | undefined;
    const seconds = timeOnce(() => {
      said = run(join(folder, 'pan'));
    });
    if (said === undefined) return undefined;
    if (!/errors: 0\b/.test(said)) throw new Error(`Spin finds a violation in ${MODEL}:\n${said}`);
    const count = (what: string): number => Number(new RegExp(`(\\d+) ${what}`).exec(said ?? '')?.[1] ?? Number.NaN);
    const states = count('states, stored');
    return {
      what: skeletonName('Spin, every state', tasks),
      figures: {
        steps: { value: count('transitions') / seconds, unit: 'steps/s' },
        states: { value: states / seconds, unit: 'states/s' },
        time: { value: seconds, unit: 's' },
      },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Name of a row about the skeleton. */
export function skeletonName(how: string, { faults, walks }: SkeletonTasks): string {
  return `skeleton of a collapse, ${faults} fault${faults === 1 ? '' : 's'}, ${walks} walk${walks === 1 ? '' : 's'}: ${how}`;
}
