/** What the result of a run tells of hints. */
import { HINT_PRIORITIES } from '@thplab/khugepaged-scheduler';
import type { World } from '../run/world.js';

/** Collapse hints of a run; times in ns, sizes in bytes, shares 0..1, null: does not apply. */
export interface HintsResult {
  /** Name of the policy; `none`: there was no queue. */
  readonly policy: string;
  readonly hot: {
    readonly bytes: number;
    /** Share of them in huge mappings, or in other folios that were built, at the end. */
    readonly huge: number;
    /** When half, 90 % and 99 % of them were; null: never. */
    readonly half: number | null;
    readonly most: number | null;
    readonly nearlyAll: number | null;
  };
  /** The same by process; `half`: when half of its hot bytes were huge. */
  readonly hotProcesses: readonly { readonly name: string; readonly bytes: number; readonly half: number | null }[];
  /** Bytes in folios that were built where memory is hot, and where it is cold. */
  readonly builtHot: number;
  readonly builtCold: number;
  readonly queued: number;
  readonly served: number;
  readonly succeeded: number;
  readonly dropped: number;
  readonly waiting: number;
  /** By reason. */
  readonly refusedBy: Readonly<Record<string, number>>;
  readonly droppedBy: Readonly<Record<string, number>>;
  /** Ranges of hints by scan result. */
  readonly results: Readonly<Record<string, number>>;
  /** Drains that found a hint, what failed in them, and how often they found mmap_lock held. */
  readonly drains: number;
  readonly failures: number;
  readonly contended: number;
  /** The longest that a hint waited, those included that still do, and whose it was. */
  readonly longestWait: { readonly ns: number; readonly process: string | null };
  /** Processes with hints of which none was served. */
  readonly starved: readonly string[];
  /** Hints of low priority, and address spaces of the round, that were served while one of high priority waited. */
  readonly inversions: { readonly byHints: number; readonly byRound: number };
  /** khugepaged's processor time for each hot range in which something was built. */
  readonly timePerUseful: number | null;
}

/** Null: the scenario does not speak of hints. */
export function hintsResult(world: World): HintsResult | null {
  const { hints } = world;
  const { log, hot, policy } = hints;
  if (hot === undefined) return null;
  const { pageSize } = world.scenario.machine;
  const { cpuNs } = world.threads;
  const [half, most, nearlyAll] = hot.reachedNs as [number | null, number | null, number | null];
  const processes = hintedProcesses(world);
  const longest = processes.reduce(
    (found, one) => (one.longestWaitNs > found.ns ? { ns: one.longestWaitNs, process: one.name } : found),
    { ns: 0, process: null as string | null },
  );
  return {
    policy: policy.name,
    hot: { bytes: hot.hotPages * pageSize, huge: hot.share, half, most, nearlyAll },
    hotProcesses: [...hot.processes].map(([{ name }, { pages, halfNs }]) => ({
      name,
      bytes: pages * pageSize,
      half: halfNs,
    })),
    builtHot: hot.built.hot * pageSize,
    builtCold: hot.built.cold * pageSize,
    queued: log.queued,
    served: log.served,
    succeeded: log.succeeded,
    dropped: log.lost,
    waiting: log.waiting,
    refusedBy: sorted(log.refused),
    droppedBy: sorted(log.droppedBy),
    results: sorted(log.results),
    drains: log.drains,
    failures: log.failures,
    contended: log.contendedLocks,
    longestWait: longest,
    starved: processes.filter(({ queued, served }) => queued > 0 && served === 0).map(({ name }) => name),
    inversions: { ...log.inversions },
    timePerUseful: hot.usefulRanges === 0 ? null : cpuNs / hot.usefulRanges,
  };
}

/** Share of what was built that is cold; null: nothing was built. */
export function coldShare({ builtHot, builtCold }: Pick<HintsResult, 'builtHot' | 'builtCold'>): number | null {
  return builtHot + builtCold === 0 ? null : builtCold / (builtHot + builtCold);
}

interface HintedProcess {
  readonly name: string;
  readonly queued: number;
  readonly served: number;
  readonly longestWaitNs: number;
}

/** Every process that ever had a hint, with the waits of those that still wait. */
function hintedProcesses(world: World): HintedProcess[] {
  const { hints, processes } = world;
  const open = waitsByMm(world);
  return processes.all.flatMap((process) => {
    const isOwner = processes.all.findLast(({ mm }) => mm === process.mm) === process;
    const sums = hints.past.get(process) ?? (isOwner ? hints.log.mms.get(process.mm) : undefined);
    if (sums === undefined) return [];
    const still = process.exitNs === null ? (open.get(process.mm) ?? 0) : 0;
    return [{ name: process.name, ...sums, longestWaitNs: Math.max(sums.longestWaitNs, still) }];
  });
}

function waitsByMm({ k, executor }: World): Map<number, number> {
  const waits = new Map<number, number>();
  const { hint, mmSlot } = k.t;
  for (const row of hint.pool.rows()) {
    const mm = mmSlot.mm[Math.floor(hint.request[row] / HINT_PRIORITIES)];
    waits.set(mm, Math.max(waits.get(mm) ?? 0, executor.current.nowNs - hint.addedNs[row]));
  }
  return waits;
}

function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)));
}
