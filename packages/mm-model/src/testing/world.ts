/** A small machine for tests of system calls, and the ways to look at what they did. */
import { asBrand } from '@thplab/arena';
import { type HeldLocks, type Procedure, preempt, runToEnd, underLockdep } from '@thplab/sync';
import { settingIndex, THP_ENABLED } from '@thplab/sysfs-schema';
import { bootMachine } from '../boot.js';
import type { MmId, VmaId, Vpn } from '../brands.js';
import { detachedTableDefects } from '../check/detached-table.js';
import { handleMmFault } from '../fault.js';
import type { Machine, MachineConfig } from '../machine.js';
import { mmAlloc } from '../mm.js';
import { type MmapOptions, mmap } from '../mmap.js';
import { vmasOf } from '../vma-tree.js';

/** A booted machine with one process. */
export interface World {
  readonly m: Machine;
  readonly mm: MmId;
  /** Runs a procedure at once; it must neither wait nor leave anything that another must release. */
  run<T>(procedure: Procedure<T>): T;
}

/** How a world is made: a machine's configuration, and the top-level setting. */
export interface WorldConfig extends Partial<MachineConfig> {
  /** transparent_hugepage/enabled, default madvise: small machines would boot with never. */
  readonly thp?: keyof typeof THP_ENABLED;
}

/** Many worlds are made in one run: their tables are kept small. */
const SMALL = { mms: 64, vmas: 4096, pageTables: 1024, directories: 512, files: 16, pageCache: 1024 };

/** Steps of procedures between two looks at tables that are out of their PMDs (I3 of khugepaged spec 19). */
const STEPS_PER_LOOK = 16;

/** Makes a world, whose procedures are under lockdep: 64 MiB, two processors, and whatever else is asked for. */
export function makeWorld(config: WorldConfig = {}): World {
  const { machine: m } = bootMachine({
    nodePages: [16_384],
    swapPages: 4096,
    ...config,
    limits: { ...SMALL, ...config.limits },
  });
  m.setting.value[settingIndex('enabled')] = THP_ENABLED[config.thp ?? 'madvise'];
  const current = { nowNs: 0, cpu: 0, task: 0 };
  m.current = current;
  let steps = 0;
  const betweenSteps = (held: HeldLocks): void => {
    if (++steps % STEPS_PER_LOOK !== 0) return;
    const found = detachedTableDefects(m, held);
    if (found.length > 0) throw new Error(found.join('\n'));
  };
  const run = <T>(procedure: Procedure<T>): T =>
    runToEnd(m.domain, underLockdep(m.domain, procedure, { betweenSteps }), { current });
  return { m, mm: mmAlloc(m), run };
}

/** Maps anonymous memory at a fixed place and gives its VMA's range. Errors: mmap fails. */
export function mapAt(w: World, at: number, pages: number, options: Partial<MmapOptions> = {}): void {
  const got = w.run(mmap(w.m, w.mm, { at: asBrand<Vpn>(at), pages, fixed: 'replace', ...options }));
  if (got !== at) throw new Error(`mmap gave ${got}`);
}

/** Touches pages by faults; gives the results that were not 0. */
export function touch(w: World, mm: MmId, start: number, end: number, write = true): number[] {
  const results: number[] = [];
  for (let page = start; page < end; page++) {
    results.push(w.run(handleMmFault(w.m, mm, asBrand<Vpn>(page), { write })));
  }
  return results.filter((result) => result !== 0);
}

/** `[start, end)` of all VMAs, ascending. */
export function ranges(w: World, mm: MmId = w.mm): [number, number][] {
  return [...vmasOf(w.m, mm)].map((vma) => [w.m.vma.start[vma], w.m.vma.end[vma]]);
}

/** The only VMA of the process. Errors: there are none, or several. */
export function onlyVma(w: World, mm: MmId = w.mm): VmaId {
  const [vma, ...others] = vmasOf(w.m, mm);
  if (vma === undefined || others.length > 0) throw new Error(`the process has ${others.length + (vma ? 1 : 0)} VMAs`);
  return vma;
}

/** A hook that only looks. */
export function spy<A extends unknown[]>(look: (...args: A) => void): (...args: A) => Procedure<void> {
  return function* (...args) {
    look(...args);
    yield preempt();
  };
}
