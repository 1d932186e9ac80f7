// The snapshot: what is known about the page tables of one process at one time, as plain data. It holds no page contents
// and, unless asked for, no physical address: frames are renumbered, so that only what decides a collapse is left (which
// pages share a folio, its order, alignment and contiguity).
import type { SmapsField } from './smaps.js';

/** The format and version of the model and of the file. */
export const SNAPSHOT_FORMAT = 'thplab/snapshot@1';

/** Pages that a capture or a file may have at most unless told otherwise: 128 GiB of 4K pages. */
export const DEFAULT_MAX_PAGES: number = 2 ** 25;

/** What a VMA maps. `anon` covers private mappings of /dev/zero; `special` is the kernel's own ([vdso], device memory). */
export type VmaKind = 'anon' | 'shmem' | 'file' | 'hugetlb' | 'special';

/** The kB fields of /proc/PID/status that a snapshot keeps. */
export type StatusField = 'VmSize' | 'VmRSS' | 'RssAnon' | 'RssFile' | 'RssShmem' | 'VmSwap' | 'VmPTE' | 'HugetlbPages';

/** The captured process. */
export interface SnapshotProcess {
  readonly pid: number;
  /** The command name (`Name` of status), '' when names were left out. */
  readonly name: string;
  readonly threads: number;
  /** `THP_enabled` of status: false after prctl(PR_SET_THP_DISABLE); null where the kernel does not print it. */
  readonly thpEnabled: boolean | null;
  readonly statusKb: Readonly<Partial<Record<StatusField, number>>>;
}

/** Free blocks of one zone: `blocks[o]` free blocks of order o (/proc/buddyinfo). */
export interface FreeBlocks {
  readonly node: number;
  readonly zone: string;
  readonly blocks: readonly number[];
}

/** The machine and kernel on which the process ran. */
export interface SnapshotKernel {
  /** uname -r */
  readonly release: string;
  /** uname -m */
  readonly machine: string;
  /** Bytes in a base page. */
  readonly pageSize: number;
  /** Order of a PMD-sized folio: 9 on x86-64. */
  readonly pmdOrder: number;
  /** Settings and counters below /sys/kernel/mm/transparent_hugepage: relative path to the text, without the last newline. */
  readonly thp: Readonly<Record<string, string>>;
  /** kB; null where unreadable. */
  readonly memTotalKb: number | null;
  readonly memFreeKb: number | null;
  readonly freeBlocks: readonly FreeBlocks[];
}

/** One VMA. Addresses are page numbers; the VMA's pages are rows `firstRow` to `firstRow + rowCount` of `Snapshot.pages`. */
export interface SnapshotVma {
  /** First page number, and the page number after the last. */
  readonly startVpn: number;
  readonly endVpn: number;
  readonly kind: VmaKind;
  /** VM_ names of smaps' VmFlags ('VM_READ', 'VM_HUGEPAGE', ...); a mnemonic that is not known is kept as printed. */
  readonly flags: readonly string[];
  /** vm_pgoff: offset in the file, in pages. 0 for anonymous memory. */
  readonly pageOffset: number;
  /** The same small number for VMAs of the same file (device and inode); 0 without a file. */
  readonly fileIndex: number;
  /** The mapping's name, to the extent asked for at capture. */
  readonly name: string;
  /**
   * A guess at "has an anon_vma": true when anonymous or swapped pages were found. A VMA that was written to and then
   * emptied (MADV_DONTNEED) still has its anon_vma but reads false here.
   */
  readonly hasAnonVma: boolean;
  /** smaps' THPeligible; null where the kernel does not print it. */
  readonly thpEligible: boolean | null;
  /** smaps' figures in kB, read before the pages. */
  readonly smapsKb: Readonly<Partial<Record<SmapsField, number>>>;
  readonly firstRow: number;
  readonly rowCount: number;
  /** Pages of this VMA that were not looked at because of a limit (`Snapshot.notes` says which and why). */
  readonly skippedPages: number;
  /** False when it is not certain which of the candidate ranges are PMD-mapped (see pmd-mapped.ts). */
  readonly pmdMappedExact: boolean;
}

/** The pages, one row per entry that is not none, ascending by `vpn`, as a struct of arrays of equal length. */
export interface SnapshotPages {
  readonly length: number;
  /** Page number (address / page size). */
  readonly vpn: Float64Array;
  /** {@link PageKind} */
  readonly kind: Uint8Array;
  /**
   * Renumbered frame, or NO_FRAME. Neighbours in memory stay neighbours; a folio keeps its natural alignment, so that
   * the head of the folio is `frame - frame % 2 ** order`. Frames that were apart stay apart by at least one.
   */
  readonly frame: Uint32Array;
  /** Order of the folio that the page belongs to (mTHP sizes told apart), or ORDER_UNKNOWN; 0 for entries not present. */
  readonly order: Uint8Array;
  /** {@link PageFlag} bits. */
  readonly flags: Uint16Array;
  /**
   * Page frame numbers as the machine has them, 0 where there is none: only in a snapshot that was captured with
   * `keepFrames`, since they are physical addresses.
   */
  readonly pfn?: Uint32Array;
  /** kpagecount: how many times the page is mapped, saturated at MAPCOUNT_MAX; 0 when unknown or without a frame. */
  readonly mapcount: Uint16Array;
}

/** A fact that the kernel does not tell about a process from outside. The consumer has to assume something. */
export type UnexposedFact = 'pte-young' | 'pte-dirty' | 'pte-write' | 'folio-refcount' | 'empty-page-tables';

/** What every capture through /proc lacks: listed in the snapshot, so that a consumer can state its assumptions. */
export const UNEXPOSED_FACTS: readonly UnexposedFact[] = Object.freeze([
  'pte-young',
  'pte-dirty',
  'pte-write',
  'folio-refcount',
  'empty-page-tables',
] as const);

/** One process, captured. */
export interface Snapshot {
  readonly format: typeof SNAPSHOT_FORMAT;
  /** ISO 8601, UTC. */
  readonly capturedAt: string;
  readonly process: SnapshotProcess;
  readonly kernel: SnapshotKernel;
  /** Ascending by address, without overlap. */
  readonly vmas: readonly SnapshotVma[];
  readonly pages: SnapshotPages;
  /** All frames are below this number. Frames that nothing maps lie between; they are not free memory. */
  readonly frameCount: number;
  /** What could not be read, and how to get it; empty for a complete capture. */
  readonly missing: readonly string[];
  /** What was skipped or uncertain, in sentences. */
  readonly notes: readonly string[];
  /** See {@link UNEXPOSED_FACTS}. `vma.smapsKb.Referenced / Rss` gives the young share per VMA. */
  readonly unexposed: readonly UnexposedFact[];
}

/** The rows of one VMA, as views (no copy) on the columns. */
export function pagesOfVma(snapshot: Snapshot, vma: SnapshotVma): SnapshotPages {
  const { pages } = snapshot;
  const from = vma.firstRow;
  const to = vma.firstRow + vma.rowCount;
  return {
    length: vma.rowCount,
    vpn: pages.vpn.subarray(from, to),
    kind: pages.kind.subarray(from, to),
    frame: pages.frame.subarray(from, to),
    order: pages.order.subarray(from, to),
    flags: pages.flags.subarray(from, to),
    mapcount: pages.mapcount.subarray(from, to),
    ...(pages.pfn === undefined ? {} : { pfn: pages.pfn.subarray(from, to) }),
  };
}
