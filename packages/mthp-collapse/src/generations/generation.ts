import type { ChunkRequirementRule, ChunkRule } from '../chunks.js';
import type { EffectTable } from '../classification.js';
import type { CountLimitRule, NoneLimitRule, ScanNoneLimitRule } from '../limits.js';
import type { MadviseRules } from '../madvise-results.js';
import type { ResultNumbering } from '../result-numbering.js';
import type { ScanResult } from '../results.js';

/**
 * One generation of the collapse algorithm as data (khugepaged spec 15): everything that differs between the
 * proposals of the mailing list and the kernels, over one common skeleton of scan, choice and attempt.
 *
 * Code that runs a generation reads these fields and never its name. So a variant, a proposed one or a deliberately
 * faulty one, is `{ ...merged, name: 'mine', anonVmaHeldForMthp: false }`, and the defects of khugepaged spec 19 are
 * plain fields here. The number of entries per table is no part of a generation.
 */
export interface Generation
  extends GenerationOrders,
    GenerationScan,
    GenerationChoice,
    GenerationAttempt,
    GenerationLoop,
    GenerationDefects {
  /** Name of the kernel profile: `merged`, `v6.18`, `v12`, ... */
  readonly name: string;
  /** One line for a reader: author, date, what is special. */
  readonly summary: string;
  /** The result codes this kernel has, in its numbering. */
  readonly results: ResultNumbering;
}

/**
 * Which orders exist for whom. When the thread runs at all is a matter of the settings and told by the kernel profile
 * (`describeProfile(name).runsWhen` of @thplab/sysfs-schema).
 */
export interface GenerationOrders {
  /** Smallest order that khugepaged builds; `pmd` when it knows only the PMD order. */
  readonly minOrder: number | 'pmd';
  /**
   * Orders that MADV_COLLAPSE tries: the PMD order alone, all that the VMA can hold, or the PMD order and, where that
   * fails, those that sysfs allows khugepaged in this VMA (a what-if policy of ours, khugepaged spec 13.3).
   */
  readonly madviseOrders: 'pmdOnly' | 'allAnon' | 'pmdThenEnabled';
}

/** The scan of one table (khugepaged spec 7.1). */
export interface GenerationScan {
  /** Whether an entry is tested for "empty or zero page" before or after "swapped" (khugepaged spec 7.1, 15.8). */
  readonly scanCheckOrder: 'noneFirst' | 'swapFirst';
  /** Where an armed userfaultfd forbids empty entries: in the scan itself, or through the limit helper. */
  readonly uffdRule: 'inlineScan' | 'helper';
  readonly scanNoneLimit: ScanNoneLimitRule;
  /** khugepaged refuses clean lazily freed pages unless the VMA is droppable (step e of 7.1; isolate, 11.4). */
  readonly lazyfreeRule: boolean;
  /** At least one entry must be writable, else PAGE_RO (legacy up to 6.17). */
  readonly writableRequired: boolean;
  /** A missing table is told as PMD_NULL or PMD_NONE, not as NO_PTE_TABLE. */
  readonly legacyPmdResults: boolean;
  /** A PMD under migration counts as mapped huge (khugepaged spec 2.3); before that rule it was PMD_NULL. */
  readonly pmdMigrationIsMapped: boolean;
}

/** The choice of windows (khugepaged spec 9, 15). */
export interface GenerationChoice {
  readonly noneLimit: NoneLimitRule;
  readonly swapLimit: CountLimitRule;
  readonly sharedLimit: CountLimitRule;
  /**
   * A setting of max_ptes_none that is neither 0 nor the ceiling is reported once per boot as soon as an order below
   * the PMD's is considered (khugepaged spec 23.8).
   */
  readonly warnsOnOtherNone: boolean;
  /** One bit of the bitmap stands for 2^chunkOrder entries. 0: one bit per entry. */
  readonly chunkOrder: number;
  /** How the bits are set. */
  readonly chunkRule: ChunkRule;
  /** How many chunks a window needs; absent: as in RFC v2 (`shiftedChunks`). A plug-in where the original is unknown. */
  readonly requiredChunks?: ChunkRequirementRule;
  /** An order whose own `enabled` file says `always` is attempted whatever its occupancy (RFC v2, v4). */
  readonly greedyAlways: boolean;
  /** With the PMD order enabled alone, the table is attempted whatever its occupancy (v4). */
  readonly pmdOnlyUnconditional: boolean;
  /** Accepted swapped entries count as occupied at the PMD order; false is the defect B10. */
  readonly unmappedCountsAsOccupied: boolean;
  /** The choice asks the limit with a VMA that may be gone: the defect B1. */
  readonly passVmaToNoneHelper: boolean;
  /** The limit reads the setting twice and can see two values: the defect B11. */
  readonly noneSettingReadTwice: boolean;
  /** `linearRescan`: from left to right, each window scanned anew, and a failure takes its order out of the range. */
  readonly walk: 'single' | 'dfs' | 'forward' | 'linearRescan';
  /** A depth-first walk goes on to halves although no lower order is enabled. */
  readonly pushesHalvesAlways: boolean;
  /** What a result means for the rest of the table. */
  readonly effects: EffectTable;
  /**
   * What the table as a whole reports: the result of the last attempt (or scan, where each window has one); SUCCEED or
   * plain FAIL (the defect B9: a failed allocation is lost); or SUCCEED, else a failed allocation, else the last failure.
   */
  readonly resultRule: 'own' | 'okOrFail' | 'okAllocLast';
}

/** One attempt: locks, installation, statistics (khugepaged spec 10, 11). */
export interface GenerationAttempt {
  /** What is locked while an mTHP is installed, and so what the attempt has to clear; mmapReadPtl is Dev Jain's v1. */
  readonly installLock: 'mmapWriteClearPmd' | 'mmapReadPtl';
  /** Below the PMD order the anon_vma lock is kept until the table is back; false is the defect B7. */
  readonly anonVmaHeldForMthp: boolean;
  /** The table is put back into the PMD before its new entries are set; false is the defect B8. */
  readonly pmdReinstallBeforePtes: boolean;
  /** Dirty and write bits of new entries below the PMD order: with the VMA's permission, or always dirty (23.1). */
  readonly installWriteDirtyRule: 'followsVma' | 'alwaysDirty';
  /** A new mTHP is queued as one that could be split when underused. */
  readonly deferredQueueMthp: boolean;
  /** The memcg's deferred-split list is prepared before any lock; failing that is an allocation failure (10, 1b). */
  readonly memcgDeferredList: boolean;
  /** A refused limit in isolate runs the clean-up before its cursor is set: the defect B2. */
  readonly refusedLimitRunsCleanup: boolean;
  /** What isolate returns when the limit is refused: the setting changed since the choice (v15, v17). */
  readonly refusedResult: ScanResult;
  /** mmap_lock may be held on entry (a flag tells), or never. */
  readonly lockContract: 'flag' | 'enterUnlocked';
  /** Swapped entries of a window below the PMD order are brought in, as far as the limit of the order allows. */
  readonly swapsInBelowPmd: boolean;
  /**
   * Which per-order `collapse_*` statistics are counted: of allocations, of windows that a limit refused as well, and of
   * refused scans (khugepaged spec 14.2, 23.2).
   */
  readonly perOrderStats: 'none' | 'alloc' | 'attempt' | 'attemptAndScan';
  /** Trace events of the attempt carry the order (and no longer `writable`). */
  readonly traceOrder: boolean;
}

/** The loop around it (khugepaged spec 5, 6, 13.2). */
export interface GenerationLoop {
  /** Budget charged for a table: one per entry looked at, or always the whole table (khugepaged spec 6.2). */
  readonly progressModel: 'perPte' | 'perRange';
  /** An mm whose THP was disabled is left at once (6.1 step 8); legacy leaves it at the next visit. */
  readonly advancesOnDisabled: boolean;
  /** Each visit of an mm emits mm_khugepaged_scan (6.1 step 9). */
  readonly traceMmScan: boolean;
  /** MMF_VM_HUGEPAGE is set before the slot is allocated: the defect B17. */
  readonly enterFlagFirst: boolean;
  /** Registration computes the possible orders before it asks whether huge pages are enabled at all: B21. */
  readonly enterEligibilityFirst: boolean;
  /** The kind of access is compared by bit-and, so a forced collapse may pass as khugepaged's: the defect B19. */
  readonly tvaBitTest: boolean;
  /** Others may tell khugepaged where to look first: the queue of collapse hints (khugepaged spec 17). */
  readonly hints: boolean;
  readonly madvise: MadviseRules;
  /**
   * Regular files whose mapping can hold folios of PMD size are collapsed; absent: those that nobody has open for writing,
   * and only in kernels built with CONFIG_READ_ONLY_THP_FOR_FS (khugepaged spec 4.2 rule 9, 4.3).
   */
  readonly collapsesPmdFolioFiles?: boolean;
}

/**
 * Switches that no generation sets: mistakes in locking that a rule of the kernel keeps out, or that one posted version
 * had beside what it meant to do. A variant sets one to see what the rule is good for (`thplab check`). Absent is right.
 */
export interface GenerationDefects {
  /** References are counted while lockless GUP can still reach the pages, before the PMD is cleared: B14. */
  readonly countsRefsBeforeFlush?: boolean;
  /** What was found under mmap_lock for reading is believed under mmap_lock for writing, which is another hold: B16. */
  readonly skipsSecondRevalidate?: boolean;
  /** Isolate goes by what the scan saw of userfaultfd, not by the VMA as it is now: B12. */
  readonly isolateBelievesScanUffd?: boolean;
  /** A swap-in that has given mmap_lock back itself has it given back again: B18. */
  readonly swapinUnlocksTwice?: boolean;
  /** With `installLock` mmapReadPtl: an attempt that fails gives back mmap_lock alone, of all it holds: B4. */
  readonly leaksLocksOnFailure?: boolean;
  /** After an attempt the table is scanned again under the VMA of before, which may be gone: B6. */
  readonly reusesVmaAfterRelock?: boolean;
  /** An exiting process does not wait for the scan of its own page tables to end: B15. */
  readonly exitSkipsScanWait?: boolean;
  /** An exiting process frees its page tables without mmap_lock, as before Linux 5.18: what makes B15 do harm. */
  readonly exitIsUnlocked?: boolean;
  /** The VMA is not locked for writing: faults and UFFDIO_MOVE under its own lock go on in the table that is out: B13. */
  readonly skipsVmaWriteLock?: boolean;
  /** The caller is not told that the attempt gave mmap_lock back, and gives it back again: B5. */
  readonly forgetsDroppedLock?: boolean;
}
