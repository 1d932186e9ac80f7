/**
 * The result of a run as plain data. It contains no time of day and nothing of the machine that ran it: the same scenario,
 * seed and version give the same bytes. Sizes in bytes, times in ns of virtual time, shares 0..1; `null`: does not apply.
 */

import type { PingPongSums } from '../damon/ping-pong/ping-pong.js';
import type { HintsResult } from '../hints/result.js';

/** See the head of the file. */
export interface ScenarioResult {
  readonly format: 'thplab/result@1';
  readonly header: ResultHeader;
  readonly end: ResultEnd;
  readonly processes: readonly ProcessResult[];
  readonly khugepaged: KhugepagedResult;
  /** In the order of the kdamonds' numbers. */
  readonly damon: readonly DamonResult[];
  /** What DAMOS split and what was built again; null: no scheme splits. */
  readonly pingPong: PingPongSums | null;
  /** Lines of /proc/vmstat that are not 0. */
  readonly vmstat: Readonly<Record<string, number>>;
  /** Counters of sysfs that are not 0, by path below the transparent_hugepage folder. */
  readonly sysfs: Readonly<Record<string, number>>;
  /** Null: the scenario does not speak of hints. */
  readonly hints: HintsResult | null;
  readonly memory: MemoryResult;
  readonly timeline: readonly TimelineRow[];
  readonly events: readonly EventResult[];
  readonly expectations: readonly ExpectationResult[];
  /** What is inconsistent in the machine, in words: empty, or a defect of thplab. Null: not checked. */
  readonly invariants: readonly string[] | null;
  /** The TLB of each processor; null if none is modelled. */
  readonly tlb: TlbResult | null;
}

export interface ResultHeader {
  readonly name: string;
  readonly seed: number;
  readonly kernel: string;
  /** Version of @thplab/scenario. */
  readonly version: string;
  readonly pageSize: number;
  readonly blockSize: number;
  /** Settings as they were written, last write of each file. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Why a run ended. */
export interface ResultEnd {
  /**
   * `goal`: `until` was reached; `atMost`: it was not in that time; `idle`: it cannot be any more, nothing is left to happen;
   * `time`: there was no goal, and the time was up; `stopped`: from outside.
   */
  readonly reason: 'goal' | 'atMost' | 'idle' | 'time' | 'stopped';
  readonly atNs: number;
  /** The run did not come to its own end; everything else is as far as it came. */
  readonly partial: boolean;
}

export interface ProcessResult {
  readonly name: string;
  readonly bornNs: number;
  readonly exitNs: number | null;
  /** Registered with khugepaged. */
  readonly registered: boolean;
  readonly rss: number;
  readonly anonHuge: number;
  /** Memory of files and shared memory that huge PMDs map. */
  readonly fileHuge: number;
  readonly swap: number;
  /** Resident bytes that hold no data: filled up by collapses or huge faults. */
  readonly extra: number;
  readonly coverage: CoverageResult;
  readonly vmas: readonly VmaResult[];
  readonly faults: StallResult;
  /** Waits for mmap_lock, other than khugepaged's. */
  readonly mmapLockWaits: StallResult;
  /** Longest time that khugepaged kept mmap_lock for writing: the worst stall that it can have caused. */
  readonly worstWriteHoldNs: number;
  /** Touches that failed, by outcome. */
  readonly failures: Readonly<Record<string, number>>;
  /** Null: no TLB is modelled, or it made no access. */
  readonly tlb: TlbProcessResult | null;
}

/** A TLB: how many bytes its last level reaches with pages of one size. */
export interface TlbResult {
  readonly name: string;
  readonly reachBase: number;
  readonly reachHuge: number;
}

/** What address translation did for a process. */
export interface TlbProcessResult {
  readonly accesses: number;
  /** Shares of the accesses that needed no walk, and that hit the first level. */
  readonly hitRate: number;
  readonly firstHitRate: number;
  readonly walks: number;
  readonly walksHuge: number;
  readonly walksBase: number;
  /** More than if every access had hit the first level. */
  readonly cycles: number;
  readonly lostNs: number;
  /** TLB entries that the memory in use needs as it is mapped at the end. */
  readonly entries: number;
  /** Bytes that the last level reaches with that mixture of pages. */
  readonly reach: number;
  /** `exact`: access by access; `analytic`: expected values. */
  readonly form: 'exact' | 'analytic' | 'both';
}

export interface CoverageResult {
  readonly size: number;
  readonly resident: number;
  /** Shares mapped by huge PMDs. */
  readonly hugeOfSize: number;
  readonly hugeOfResident: number;
  /** Bytes in whole, naturally aligned folios, by size (`2M`). */
  readonly bySize: Readonly<Record<string, number>>;
  /** The number of those folios. */
  readonly folios: Readonly<Record<string, number>>;
}

export interface VmaResult extends CoverageResult {
  readonly name: string;
  readonly start: number;
  /** Sizes that khugepaged may build here; empty: it passes the VMA by. */
  readonly eligible: readonly string[];
  /** Why it is not eligible; null if it is. */
  readonly ineligible: string | null;
  /** What became of its PMD ranges, by outcome (`collapsed 2M`, `exceed_none_pte`, ...), and how many. */
  readonly outcomes: Readonly<Record<string, number>>;
}

export interface StallResult {
  readonly count: number;
  readonly p50Ns: number;
  readonly p99Ns: number;
  readonly maxNs: number;
  readonly totalNs: number;
}

export interface KhugepagedResult {
  readonly cpuNs: number;
  /** Of one processor's time. */
  readonly cpuShare: number;
  readonly pagesCollapsed: number;
  readonly fullScans: number;
  readonly passes: number;
  readonly rangesScanned: number;
  /** Ranges looked at, MADV_COLLAPSE included, by result. */
  readonly ranges: Readonly<Record<string, number>>;
  /** Attempts to collapse a window, by size, then by result. */
  readonly attempts: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Base pages whose content successful attempts copied; what was empty is not among them. */
  readonly pagesCopied: number;
  /** When so much of what can be collapsed was; null: never. */
  readonly timeToCover: {
    readonly half: number | null;
    readonly most: number | null;
    readonly nearlyAll: number | null;
  };
}

export interface DamonResult {
  readonly name: string;
  readonly operations: string;
  /** Name of DAMON's profile. */
  readonly profile: string;
  readonly state: 'on' | 'off' | 'never started';
  readonly cpuNs: number;
  /** Of one processor's time, since it was switched on. */
  readonly cpuShare: number;
  /** Regions looked at. */
  readonly samples: number;
  readonly aggregations: number;
  /** As they are now: auto-tuning changes them. */
  readonly intervals: { readonly sampleUs: number; readonly aggrUs: number; readonly opsUpdateUs: number } | null;
  readonly targets: readonly DamonTargetResult[];
  readonly schemes: readonly DamosResult[];
  /** What was wrong with the configuration and was put right. */
  readonly warnings: readonly string[];
}

/** What was seen of a target in the last whole aggregation. */
export interface DamonTargetResult {
  /** Null: physical memory. */
  readonly process: string | null;
  readonly monitored: number;
  /** Bytes of regions with any access. */
  readonly accessed: number;
  /** Bytes of regions that at least half of the samples found accessed. */
  readonly hot: number;
  /** Ascending. `accesses`: samples that found one; `age`: aggregations. */
  readonly regions: readonly {
    readonly start: number;
    readonly end: number;
    readonly accesses: number;
    readonly age: number;
  }[];
}

/** Statistics of a scheme, as the kernel counts them. */
export interface DamosResult {
  readonly name: string;
  readonly action: string;
  readonly nrTried: number;
  readonly szTried: number;
  readonly nrApplied: number;
  readonly szApplied: number;
  readonly szOpsFilterPassed: number;
  readonly qtExceeds: number;
  readonly nrSnapshots: number;
  /** Effective quota; null: none. */
  readonly effectiveBytes: number | null;
  /** End of the aggregation in which it found its first region, ns; null: it found none. */
  readonly firstTriedNs: number | null;
  /** Time that the action took in all charge windows. */
  readonly spentNs: number;
}

export interface MemoryResult {
  readonly total: number;
  readonly free: number;
  /** Share of the free memory that is not in free blocks of PMD size. */
  readonly fragmentation: number;
  /** Free blocks by size. */
  readonly freeBlocks: Readonly<Record<string, number>>;
  /** Bytes copied because a shared page was written to. */
  readonly copiedOnWrite: number;
}

export interface TimelineRow {
  readonly atNs: number;
  readonly free: number;
  readonly pagesCollapsed: number;
  readonly khugepagedCpuNs: number;
  readonly processes: readonly {
    readonly name: string;
    readonly rss: number;
    readonly anonHuge: number;
    readonly fileHuge: number;
    readonly swap: number;
  }[];
}

export interface EventResult {
  /** Key path in the scenario. */
  readonly key: string;
  readonly kind: string;
  readonly executions: number;
  /** How the steps ended, by errno (`ok`, `EAGAIN`). */
  readonly errnos: Readonly<Record<string, number>>;
}

export interface ExpectationResult {
  /** Key path in the scenario. */
  readonly key: string;
  readonly atNs: number;
  /** What it is about, e.g. `app heap: huge`. */
  readonly what: string;
  readonly expected: string;
  readonly actual: string;
  readonly ok: boolean;
}
