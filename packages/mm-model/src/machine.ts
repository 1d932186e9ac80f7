/**
 * The machine: views on the arena, its constants, its locks, and the hooks that upper packages fill in. It is passed as
 * the first argument of every function of the model, where kernel functions use globals.
 */
import { Arena, asBrand, type Sizes, type TableDecls, type Tables } from '@thplab/arena';
import {
  type BitLock,
  type Current,
  type LockClass,
  OPEN_GATE,
  type Procedure,
  type StepGate,
  SyncDomain,
} from '@thplab/sync';
import {
  GEOMETRY_4K,
  type Geometry,
  type GlobalSettingKey,
  MTHP_STAT_CELL_COUNT,
  type MthpStatName,
  mthpStatCell,
  type OrderSettingKey,
  ptesPerTable,
  SETTING_COUNT,
  settingIndex,
  VMSTAT_COUNT,
  type VmstatName,
  vmstatIndex,
} from '@thplab/sysfs-schema';
import type { MmId, Pfn, VmaId, Vpn } from './brands.js';
import { type CostTable, DEFAULT_COSTS } from './costs.js';
import { FOLIO } from './flags.js';
import { MM_TABLES, type MmTables } from './tables.js';

/** Limits of the tables; every one can be raised. Defaults follow from the memory size. */
export interface MachineLimits {
  readonly mms?: number;
  readonly vmas?: number;
  readonly pageTables?: number;
  readonly directories?: number;
  readonly anonVmas?: number;
  readonly anonVmaChains?: number;
  readonly swapSlots?: number;
  /** Memory cgroups, the root among them; at most 65535, default 256. */
  readonly memcgs?: number;
  readonly files?: number;
  readonly pageCache?: number;
}

/** How a machine is made. */
export interface MachineConfig {
  /** Page size and PTEs per table; default 4K pages, 2M tables. */
  readonly geometry?: Geometry;
  /** Base pages of each memory node. */
  readonly nodePages: readonly number[];
  /** Simulated processors, default 2. */
  readonly cpus?: number;
  /** Base pages of the swap device, default 0 (no swap). */
  readonly swapPages?: number;
  readonly limits?: MachineLimits;
  readonly costs?: Partial<CostTable>;
  /** Tables of upper packages that share the arena. */
  readonly extraTables?: TableDecls;
  readonly extraSizes?: Sizes;
}

/** Lock classes of the model, in the order of khugepaged spec 10: a lower rank is taken first. */
export interface MmLocks {
  readonly mmapLock: LockClass;
  readonly vmaLock: LockClass;
  /** i_mmap_rwsem, of a file. */
  readonly fileMap: LockClass;
  readonly anonVma: LockClass;
  /** The lock of a file's page cache (xa_lock of i_pages). */
  readonly filePages: LockClass;
  readonly pmdLock: LockClass;
  readonly pteLock: LockClass;
  readonly folioLock: BitLock;
}

/** Ranks of the lock classes; `khugepagedMm` is a leaf of the scheduler's. */
export const LOCK_RANK = {
  mmapLock: 10,
  vmaLock: 20,
  fileMap: 25,
  anonVma: 30,
  pmdLock: 40,
  pteLock: 50,
  filePages: 60,
  khugepagedMm: 90,
} as const;

/** Calls from the model up to packages that it does not know. The defaults do nothing. */
export interface MmHooks {
  /** `khugepaged_enter_vma`: a VMA may have become worth scanning; `flags`: as if it had these, default its own. */
  khugepagedEnterVma(vma: VmaId, flags?: number): Procedure<void>;
  /** `khugepaged_fork`. */
  khugepagedFork: (child: MmId, parent: MmId) => Procedure<void>;
  /** `khugepaged_exit`, called with mm_users 0. */
  khugepagedExit: (mm: MmId) => Procedure<void>;
  /** `madvise_collapse`: called and left with mmap_lock held for reading; gives 0 or a negative errno. */
  madviseCollapse: (mm: MmId, start: Vpn, end: Vpn) => Procedure<number>;
  /**
   * Somebody is about to look at, or clear, the accessed bit of a page: whoever makes accesses without carrying each of
   * them out sets the bit now if an access would have since the last time. Called before the bit is read.
   */
  settleAccess(mm: MmId, page: Vpn): void;
  /** The same for all pages of a range, in which many are about to be looked at. */
  settleAccessRange(mm: MmId, start: Vpn, end: Vpn): void;
  /** Translations of a range have changed or gone, and are flushed from the TLBs of all processors (`flush_tlb_range`). */
  flushTlb(mm: MmId, start: Vpn, end: Vpn): void;
  /** exit_mmap takes no mmap_lock, as before Linux 5.18; false in all kernels that the model is of (case B15). */
  exitIsUnlocked: boolean;
}

/** One simulated machine. */
export interface Machine extends Tables<MmTables> {
  readonly arena: Arena;
  readonly geometry: Geometry;
  /** Order of a PMD mapping, `HPAGE_PMD_ORDER`. */
  readonly pmdOrder: number;
  /** PTEs per table, `HPAGE_PMD_NR`. */
  readonly ptes: number;
  /** Words per row of a bit plane. */
  readonly words: number;
  /** Bits from one row's plane to the next: 32 times `words`. */
  readonly planeBits: number;
  /** Page-table levels, PTE tables included. */
  readonly levels: number;
  /** One past the highest virtual page number. */
  readonly addressPages: number;
  /** Highest order of the buddy allocator, MAX_PAGE_ORDER. */
  readonly maxOrder: number;
  readonly nodes: number;
  readonly cpus: number;
  readonly domain: SyncDomain;
  readonly locks: MmLocks;
  readonly costs: CostTable;
  readonly hooks: MmHooks;
  /** Clock and processor of the running step; an executor's `current` once one is attached. */
  current: Readonly<Current>;
  /** Keeps steps whole where several threads work on the machine; always open on one thread. */
  gate: StepGate;
  /** Where guards are checked: the same machine without the check, for `lockless`. */
  readonly unguarded: Machine | undefined;
}

const VA_BITS = 47;

/** A machine with all memory free and default settings of zero: see `boot.ts` for settings. */
export function createMachine(config: MachineConfig): Machine {
  const geometry = config.geometry ?? GEOMETRY_4K;
  const sizes = sizesOf(config, geometry);
  const arena = Arena.create({ ...MM_TABLES, ...config.extraTables }, sizes);
  arena.tables.memcg.pool.alloc();
  return viewMachine(arena, geometry, config.costs);
}

/** The machine in an arena that exists already: restored, or attached by another thread. */
export function viewMachine(arena: Arena<MmTables>, geometry: Geometry, costs?: Partial<CostTable>): Machine {
  const pmdOrder = geometry.pmdOrder;
  const ptes = ptesPerTable(geometry);
  const words = Math.ceil(ptes / 32);
  const levels = Math.min(4, Math.ceil((VA_BITS - geometry.pageShift) / pmdOrder));
  const domain = new SyncDomain();
  const tables = arena.tables;
  return {
    ...tables,
    arena: arena as unknown as Arena,
    geometry,
    pmdOrder,
    ptes,
    words,
    planeBits: words * 32,
    levels,
    addressPages: Math.min(2 ** (VA_BITS - geometry.pageShift), 2 ** (pmdOrder * levels)),
    maxOrder: Math.max(10, pmdOrder),
    nodes: tables.node.capacity,
    cpus: tables.cpu.capacity,
    domain,
    locks: declareLocks(domain, tables),
    costs: { ...DEFAULT_COSTS, ...costs },
    hooks: noHooks(),
    current: { nowNs: 0, cpu: 0, task: 0 },
    gate: OPEN_GATE,
    unguarded: undefined,
  };
}

function sizesOf(config: MachineConfig, geometry: Geometry): Sizes {
  const frames = config.nodePages.reduce((sum, pages) => sum + pages, 0);
  const limits = config.limits ?? {};
  const mms = limits.mms ?? 256;
  const vmas = limits.vmas ?? 65_536;
  return {
    one: 1,
    mms,
    vmas,
    anonVmas: limits.anonVmas ?? vmas,
    anonVmaChains: limits.anonVmaChains ?? vmas * 4,
    ptesPerTable: ptesPerTable(geometry),
    // Sparse address spaces need more tables than memory fills; unused rows cost address space only.
    pageTables: limits.pageTables ?? Math.ceil((frames / ptesPerTable(geometry)) * 4) + 1024,
    directories: limits.directories ?? mms * 8 + 1024,
    frames,
    nodes: config.nodePages.length,
    // One more for the header.
    swapSlots: (limits.swapSlots ?? config.swapPages ?? 0) + 1,
    memcgs: limits.memcgs ?? 256,
    files: limits.files ?? 4096,
    pageCache: limits.pageCache ?? Math.max(1024, Math.min(frames, 1 << 22)),
    cpus: config.cpus ?? 2,
    settings: SETTING_COUNT,
    vmstats: VMSTAT_COUNT,
    mthpStats: MTHP_STAT_CELL_COUNT,
    ...config.extraSizes,
  };
}

function declareLocks(domain: SyncDomain, t: Tables<MmTables>): MmLocks {
  return {
    mmapLock: domain.lockClass({ name: 'mmap_lock', kind: 'rwsem', rank: LOCK_RANK.mmapLock, words: t.mm.mmapLock }),
    vmaLock: domain.lockClass({ name: 'vma_lock', kind: 'vma', rank: LOCK_RANK.vmaLock, words: t.vma.lock }),
    anonVma: domain.lockClass({ name: 'anon_vma', kind: 'rwsem', rank: LOCK_RANK.anonVma, words: t.anonVma.lock }),
    fileMap: domain.lockClass({ name: 'i_mmap_rwsem', kind: 'rwsem', rank: LOCK_RANK.fileMap, words: t.file.mapLock }),
    filePages: domain.lockClass({ name: 'i_pages', kind: 'spin', rank: LOCK_RANK.filePages, words: t.file.pagesLock }),
    pmdLock: domain.lockClass({ name: 'pmd_lock', kind: 'spin', rank: LOCK_RANK.pmdLock, words: t.directory.lock }),
    pteLock: domain.lockClass({ name: 'pte_lock', kind: 'spin', rank: LOCK_RANK.pteLock, words: t.pte.lock }),
    folioLock: domain.bitLock('folio_lock', t.frame.flags, FOLIO.LOCKED),
  };
}

function noHooks(): MmHooks {
  return {
    khugepagedEnterVma: nothing,
    khugepagedFork: nothing,
    khugepagedExit: nothing,
    madviseCollapse: () => refuse(),
    settleAccess: noAccessToSettle,
    settleAccessRange: ignore,
    flushTlb: ignore,
    exitIsUnlocked: false,
  };
}

function* nothing(): Procedure<void> {}

/** `settleAccess` where every access is carried out at once: loops that call it often may leave the call out. */
export function noAccessToSettle(): void {}

function ignore(): void {}

// biome-ignore lint/correctness/useYield: a hook that nobody filled in; -22 is EINVAL, as a kernel without THP says.
function* refuse(): Procedure<number> {
  return -22;
}

/** Value of a machine-wide sysfs setting: a number, or the index of the choice. */
export function setting(m: Machine, key: GlobalSettingKey): number {
  return m.setting.value[settingIndex(key)];
}

/** Value of a setting in hugepages-<size>kB/. */
export function orderSetting(m: Machine, key: OrderSettingKey, order: number): number {
  return m.setting.value[settingIndex(key, order)];
}

/** Adds to a vmstat counter. */
export function countVmEvent(m: Machine, name: VmstatName, by = 1): void {
  const i = vmstatIndex(name);
  m.vmstat.value[i] += by;
}

/** Adds to a counter of hugepages-<size>kB/stats. */
export function countMthpStat(m: Machine, order: number, name: MthpStatName, by = 1): void {
  const i = mthpStatCell(name, order);
  m.mthpStat.value[i] += by;
}

/** Node of a frame. */
export function nodeOf(m: Machine, pfn: Pfn): number {
  for (let n = 0; n < m.nodes; n++) if (pfn < m.node.endPfn[n]) return n;
  return m.nodes - 1;
}

/** Number of the next write: content stamps are unique per write (invariant I1 of khugepaged spec 19). */
export function nextStamp(m: Machine): number {
  return Atomics.add(m.machine.nextStamp, 0, 1) + 1;
}

/** A page number from a plain number. */
export function vpn(page: number): Vpn {
  return asBrand(page);
}
