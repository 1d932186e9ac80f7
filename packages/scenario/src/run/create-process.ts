/**
 * Processes as they are found at time 0: address spaces with their VMAs and pages. No time passes; advice and
 * userfaultfd go through the model's own calls, in the order in which a program would have made them.
 */
import { asBrand } from '@thplab/arena';
import {
  createFile,
  type FileId,
  MADV,
  type Machine,
  type MemcgPaths,
  type MmId,
  type VmaKind as ModelKind,
  madvise,
  mmAlloc,
  mmap,
  mmSetMemcg,
  PopulateError,
  PR_THP_DISABLE_EXCEPT_ADVISED,
  prctlSetThpDisable,
  setMlocked,
  TVA,
  thpVmaAllowableOrders,
  userfaultfdRegister,
  VM,
  VMA_KIND,
  type VmaId,
  type Vpn,
  vmaAt,
  vmaSuitableOrder,
} from '@thplab/mm-model';
import { type Procedure, runToEnd } from '@thplab/sync';
import {
  formatCount,
  type Protection,
  type ThpMode,
  type UffdMode,
  type VmaFlag,
  type VmaKind,
  type VmaSpec,
} from '../format/index.js';
import { expectedPages } from '../format/normalise-pages.js';
import { folioAt, type HeldFolios } from './held-folios.js';
import { placeLayers } from './place-layers.js';
import type { NamedRange } from './process-table.js';
import { type Locate, scenarioError } from './run-error.js';

/** What set-up works on. */
export interface SetUp {
  readonly m: Machine;
  readonly pageSize: number;
  readonly seed: number;
  readonly held: HeldFolios;
  readonly locate: Locate;
  readonly memcgs: MemcgPaths;
  /** Files of the scenario by name. */
  readonly files: Map<string, FileId>;
}

/** Pages that one layer can name: 512 GiB of 4K pages. */
const MOST_PAGES = 2 ** 27;
/** The same for huge pages, which cost less: 4 TiB. */
const MOST_IN_HUGE_PAGES = 2 ** 30;
const KINDS: Readonly<Record<VmaKind, ModelKind>> = VMA_KIND;
const FLAGS: Readonly<Record<VmaFlag, number>> = {
  dontexpand: VM.DONTEXPAND,
  dontfork: VM.DONTCOPY,
  droppable: VM.DROPPABLE,
  growsdown: VM.GROWSDOWN,
  hugetlb: VM.HUGETLB,
  io: VM.IO,
  mergeable: VM.MERGEABLE,
  mixedmap: VM.MIXEDMAP,
  mlocked: VM.LOCKED,
  noreserve: VM.NORESERVE,
  pfnmap: VM.PFNMAP,
  private: 0,
  shared: VM.SHARED,
  tempstack: VM.TEMPORARY_STACK,
  wipeonfork: VM.WIPEONFORK,
};

/** Runs a procedure of set-up at once; its time counts for nothing. */
export function atOnce<T>(m: Machine, procedure: Procedure<T>): T {
  return runToEnd(m.domain, procedure, { current: { nowNs: 0, cpu: 0, task: 0 } });
}

/** A new address space with VMAs and pages. Gives it and its VMAs by name. */
export function createProcess(
  s: SetUp,
  spec: { readonly thp: ThpMode; readonly memcg: string; readonly vmas: readonly VmaSpec[] },
  seedKey: string,
): { readonly mm: MmId; readonly vmas: Map<string, NamedRange> } {
  const { m } = s;
  const mm = mmAlloc(m);
  mmSetMemcg(m, mm, s.memcgs.ensure(spec.memcg));
  atOnce(m, setThpMode(m, mm, spec.thp));
  const vmas = new Map<string, NamedRange>();
  for (const vma of spec.vmas) vmas.set(vma.name, mapOrRefuse(s, mm, vma));
  for (const vma of spec.vmas) populateVma(s, mm, vma, vmas.get(vma.name) as NamedRange, seedKey);
  for (const vma of spec.vmas) atOnce(m, adviseVma(s, mm, vma, vmas.get(vma.name) as NamedRange));
  return { mm, vmas };
}

/** PR_SET_THP_DISABLE in one of its forms. */
export function* setThpMode(m: Machine, mm: MmId, mode: ThpMode): Procedure<number> {
  if (mode === 'default') return yield* prctlSetThpDisable(m, mm, false);
  return yield* prctlSetThpDisable(m, mm, true, mode === 'disable' ? 0 : PR_THP_DISABLE_EXCEPT_ADVISED);
}

/** VM_* bits of a protection. */
export function protectionBits(prot: Protection): number {
  return (prot.read ? VM.READ : 0) | (prot.write ? VM.WRITE : 0) | (prot.exec ? VM.EXEC : 0);
}

/** VM_UFFD_* bits of modes. */
export function uffdBits(modes: readonly UffdMode[]): number {
  const bit = { missing: VM.UFFD_MISSING, wp: VM.UFFD_WP, minor: VM.UFFD_MINOR };
  return modes.reduce((bits, mode) => bits | bit[mode], 0);
}

/** Maps a VMA, without pages. Gives its first page or a negative errno. */
export function* mapVma(s: SetUp, mm: MmId, spec: VmaSpec): Procedure<number> {
  const { m } = s;
  const pages = spec.size / s.pageSize;
  // Locking would bring every page in: the flag follows when the pages are there.
  const extra = spec.flags.reduce((bits, flag) => bits | FLAGS[flag], 0) & ~VM.LOCKED;
  const shared = spec.kind === 'shmem' && !spec.flags.includes('private') ? VM.SHARED : 0;
  return yield* mmap(m, mm, {
    pages,
    ...(spec.start === null ? {} : { at: asBrand<Vpn>(spec.start / s.pageSize), fixed: 'noReplace' as const }),
    kind: KINDS[spec.kind],
    flags: protectionBits(spec.prot) | extra | shared,
    ...fileOf(s, spec, pages),
  });
}

/** What a VMA maps: a file of the scenario, or one that nobody else maps. */
function fileOf(s: SetUp, spec: VmaSpec, pages: number): { readonly file?: FileId; readonly pgoff?: number } {
  if (spec.file !== null) return { file: s.files.get(spec.file) as FileId, pgoff: spec.offset / s.pageSize };
  return spec.kind === 'file' || spec.kind === 'dax' ? { file: createFile(s.m, { pages }) } : {};
}

function mapOrRefuse(s: SetUp, mm: MmId, spec: VmaSpec): NamedRange {
  const start = atOnce(s.m, mapVma(s, mm, spec));
  if (start >= 0) return { start, pages: spec.size / s.pageSize };
  const hint = 'choose another address, a smaller size, or leave "at" out';
  throw scenarioError(s.locate, spec.key, `VMA "${spec.name}" does not fit into the address space`, hint);
}

/** Places the pages of a mapped VMA, and leaves the process registered with khugepaged if its faults would have done so. */
export function populateVma(s: SetUp, mm: MmId, spec: VmaSpec, range: NamedRange, seedKey: string): void {
  const { m } = s;
  const vma = vmaAt(m, mm, range.start) as VmaId;
  for (const layer of spec.populate) {
    const expected = expectedPages(layer.pattern, range.pages, m.ptes);
    const most = layer.order === m.pmdOrder ? MOST_IN_HUGE_PAGES : MOST_PAGES;
    if (expected <= most) continue;
    const what = `this layer names about ${formatCount(Math.round(expected))} pages`;
    throw scenarioError(s.locate, layer.key, what, `expected at most ${formatCount(most)}`);
  }
  try {
    placeLayers(m, vma, range, spec.populate, { seed: s.seed, key: seedKey }, s.held);
  } catch (error) {
    if (!(error instanceof PopulateError)) throw error;
    const key = spec.populate.length > 0 ? `${spec.key}.populate` : spec.key;
    throw scenarioError(s.locate, key, error.message, 'see machine.memory, machine.fragmentation and machine.swap');
  }
  if (spec.flags.includes('mlocked')) lockPages(m, mm, vma, range);
  if (spec.populate.length > 0) atOnce(m, enterAsFaultsWould(m, vma, range));
}

/** A fault in a range that may be huge registers the process, whether it gets a huge page or not (khugepaged spec 5.1). */
function* enterAsFaultsWould(m: Machine, vma: VmaId, range: NamedRange): Procedure<void> {
  if (m.vma.kind[vma] !== VMA_KIND.anon || m.vma.anonVma[vma] === 0) return;
  if (thpVmaAllowableOrders(m, vma, TVA.pagefault, 1 << m.pmdOrder) === 0) return;
  if (!vmaSuitableOrder(m, vma, Math.ceil(range.start / m.ptes) * m.ptes, m.pmdOrder)) return;
  yield* m.hooks.khugepagedEnterVma(vma);
}

function lockPages(m: Machine, mm: MmId, vma: VmaId, range: NamedRange): void {
  m.vma.flags[vma] |= VM.LOCKED;
  m.mm.lockedVm[mm] += range.pages;
  for (let page = range.start; page < range.start + range.pages; page++) {
    const head = folioAt(m, mm, asBrand<Vpn>(page));
    if (head !== 0) setMlocked(m, head, true);
  }
}

/** Advice and userfaultfd of a VMA, through the calls that a program makes. */
export function* adviseVma(s: SetUp, mm: MmId, spec: VmaSpec, range: NamedRange): Procedure<void> {
  const { m } = s;
  const start = asBrand<Vpn>(range.start);
  if (spec.advice !== 'none') {
    const advice = spec.advice === 'hugepage' ? MADV.HUGEPAGE : MADV.NOHUGEPAGE;
    const result = yield* madvise(m, mm, start, range.pages, advice);
    if (result < 0) {
      const what = `madvise(MADV_${spec.advice.toUpperCase()}) on "${spec.name}" fails with errno ${-result}`;
      throw scenarioError(s.locate, `${spec.key}.advice`, what, 'the kind and flags of this VMA do not allow it');
    }
  }
  if (spec.uffd.length === 0) return;
  const result = yield* userfaultfdRegister(m, mm, start, range.pages, uffdBits(spec.uffd));
  if (result < 0) {
    const what = `userfaultfd cannot be registered on "${spec.name}" (errno ${-result})`;
    throw scenarioError(s.locate, `${spec.key}.uffd`, what, 'anonymous and shmem VMAs can; minor needs shmem');
  }
}
