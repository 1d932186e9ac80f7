/** A small machine with one process for tests of the collapse code, and the ways to look at it. */
import { getBit } from '@thplab/arena';
import {
  bootMachine,
  type CheckOptions,
  checkMachine,
  findPmd,
  findTable,
  type Machine,
  type MachineConfig,
  type MmapOptions,
  type MmId,
  mmAlloc,
  mmap,
  mmapReadUnlock,
  NO_PMD,
  PMD,
  PTE_DIRTY,
  PTE_WRITE,
  PTE_YOUNG,
  placeBasePages,
  pmdPfn,
  pmdType,
  pteBit,
  pteCell,
  VM,
  type VmaId,
  type Vpn,
  vmaAt,
} from '@thplab/mm-model';
import { acquire, type Procedure, READ, runToEnd } from '@thplab/sync';
import {
  type GlobalSettingKey,
  HUGEPAGES_ENABLED,
  type MthpStatName,
  mthpStatCell,
  settingIndex,
  type VmstatName,
  vmstatIndex,
} from '@thplab/sysfs-schema';
import { TRACE_EVENTS, TRACE_TABLES, type TraceEvents, Tracer, traceSizes } from '@thplab/trace';
import { type CollapseContext, type CollapseOptions, createCollapseContext } from '../collapse-context.js';
import { type CollapseControl, khugepagedControl, madviseControl } from '../collapse-control.js';
import { collapseHugePage } from '../collapse-huge-page.js';
import { collapseSinglePmd } from '../collapse-single-pmd.js';
import { installMadviseCollapse } from '../madvise-collapse.js';
import type { ScanResult } from '../results.js';

/** First page of the range that tests use: aligned to a PMD range of every geometry but the tiny one's address space. */
export const BASE: Vpn = (1 << 20) as Vpn;

export interface CollapseWorldOptions extends Partial<MachineConfig>, Omit<CollapseOptions, 'machine' | 'tracer'> {}

/** What an attempt starts from. */
export interface AttemptOptions {
  readonly control?: CollapseControl;
  /** Non-present entries that the scan accepted. */
  readonly unmapped?: number;
}

/** A booted machine, one process, one context with a tracer. */
export class CollapseWorld {
  readonly m: Machine;
  readonly mm: MmId;
  readonly ctx: CollapseContext;
  readonly khugepaged: CollapseControl;
  readonly madvise: CollapseControl;
  readonly tracer: Tracer<TraceEvents>;
  /** First page of the range: BASE, unless the address space is too small. */
  readonly base: Vpn;

  constructor(options: CollapseWorldOptions = {}) {
    const { machine: m } = bootMachine({
      nodePages: [16_384],
      swapPages: 4096,
      limits: { vmas: 256, mms: 16 },
      extraTables: TRACE_TABLES,
      extraSizes: traceSizes(4096),
      ...options,
    });
    this.m = m;
    this.base = m.addressPages > 2 * BASE ? BASE : (1024 as Vpn);
    const current = { nowNs: 0, cpu: 0, task: 0 };
    m.current = current;
    this.tracer = new Tracer(m.arena.tables as never, TRACE_EVENTS, current);
    this.ctx = createCollapseContext({ ...options, machine: m, tracer: this.tracer });
    this.mm = mmAlloc(m);
    this.khugepaged = khugepagedControl(this.ctx);
    this.madvise = madviseControl(this.ctx);
    installMadviseCollapse(this.ctx);
    this.set('enabled', 0);
  }

  /** Runs a procedure at once. Errors: it would have to wait. */
  run<T>(procedure: Procedure<T>): T {
    return runToEnd(this.m.domain, procedure, { current: this.m.current });
  }

  /** Sets a machine-wide setting to a value, or to the place of its choice. */
  set(key: GlobalSettingKey, value: number): void {
    this.m.setting.value[settingIndex(key)] = value;
  }

  /** Enables exactly these orders, by `always` in their own files. */
  enableOrders(...orders: readonly number[]): void {
    for (let order = 2; order <= this.m.pmdOrder; order++) {
      const choice = orders.includes(order) ? HUGEPAGES_ENABLED.always : HUGEPAGES_ENABLED.never;
      this.m.setting.value[settingIndex('hugepages.enabled', order)] = choice;
    }
  }

  /** Maps `ranges` PMD ranges of anonymous memory at `base`, advised MADV_HUGEPAGE unless told otherwise. */
  map(ranges = 1, options: Partial<MmapOptions> = {}): VmaId {
    const pages = options.pages ?? ranges * this.m.ptes;
    const flags = VM.READ | VM.WRITE | VM.HUGEPAGE;
    const at = this.run(mmap(this.m, this.mm, { at: this.base, fixed: 'replace', flags, ...options, pages }));
    if (at < 0) throw new Error(`mmap gave ${at}`);
    return this.vma(at);
  }

  vma(page: number = this.base, mm: MmId = this.mm): VmaId {
    const vma = vmaAt(this.m, mm, page);
    if (vma === 0) throw new Error(`no VMA at ${page}`);
    return vma;
  }

  /** Runs one PMD range as an initiator does: takes mmap_lock before, gives it back after if it is still held. */
  range(page: number = this.base, cc: CollapseControl = this.khugepaged): ScanResult {
    return this.run(this.rangeProcedure(page, cc));
  }

  *rangeProcedure(page: number, cc: CollapseControl): Procedure<ScanResult> {
    yield acquire(this.m.locks.mmapLock.ref(this.mm), READ);
    const outcome = yield* collapseSinglePmd(this.ctx, cc, this.vma(page), page as Vpn);
    if (!outcome.lockDropped) yield* mmapReadUnlock(this.m, this.mm);
    return outcome.result;
  }

  /** Maps pages of BASE's range, counted from its start, to small pages that look used. */
  place(from: number, to: number, attributes: number = PTE_YOUNG | PTE_DIRTY | PTE_WRITE): void {
    placeBasePages(this.m, this.vma(), (this.base + from) as Vpn, to - from, attributes);
  }

  /** One attempt at a window of BASE's range, without a scan before it. */
  attempt(slot: number, order: number, options: AttemptOptions = {}): ScanResult {
    const cc = options.control ?? this.khugepaged;
    cc.scan.reset();
    cc.attempt.aim(this.mm, this.base, slot, order);
    cc.attempt.unmapped = options.unmapped ?? 0;
    cc.lockDropped = true;
    return this.run(collapseHugePage(this.ctx, cc));
  }

  /** Differences that the model's oracle finds. */
  check(options: CheckOptions = {}): readonly string[] {
    return checkMachine(this.m, options);
  }

  /** Trace events of one name, as objects, oldest first. */
  events(name: string): Record<string, number>[] {
    return [...this.tracer.reader().events()]
      .filter((event) => event.name === name)
      .map((event) => ({ ...event.args }));
  }

  /** MADV_COLLAPSE over a range of pages, as the system call does within one VMA. */
  madvCollapse(start: number, end: number): number {
    return this.run(this.madviseProcedure(start, end));
  }

  *madviseProcedure(start: number, end: number): Procedure<number> {
    yield acquire(this.m.locks.mmapLock.ref(this.mm), READ);
    const result = yield* this.m.hooks.madviseCollapse(this.mm, start as Vpn, end as Vpn);
    yield* mmapReadUnlock(this.m, this.mm);
    return result;
  }

  vmstat(name: VmstatName): number {
    return this.m.vmstat.value[vmstatIndex(name)];
  }

  stat(order: number, name: MthpStatName): number {
    return this.m.mthpStat.value[mthpStatCell(name, order)];
  }

  /** Type of the PMD entry of a page, -1 if a level above it is missing. */
  pmd(page: number = this.base, mm: MmId = this.mm): number {
    const pmd = findPmd(this.m, mm, page as Vpn);
    return pmd === NO_PMD ? -1 : pmdType(this.m.directory.entry[pmd]);
  }

  /** Frame that a page is mapped to, by PTE or huge PMD; 0: the zero page; -1: not mapped. */
  frame(page: number, mm: MmId = this.mm): number {
    const { m } = this;
    const pmd = findPmd(m, mm, page as Vpn);
    if (pmd === NO_PMD) return -1;
    const entry = m.directory.entry[pmd];
    if (pmdType(entry) === PMD.huge) return pmdPfn(m, entry) + (page % m.ptes);
    const table = findTable(m, mm, page as Vpn);
    if (table === 0 || !getBit(m.pte.present, pteBit(m, table, page % m.ptes))) return -1;
    return m.pte.pfn[pteCell(m, table, page % m.ptes)];
  }

  /** What a read of each page gives: content stamps, 0 for zeroes and for pages that are not there. */
  contents(start: number, end: number, mm: MmId = this.mm): number[] {
    const stamps: number[] = [];
    for (let page = start; page < end; page++) {
      const pfn = this.frame(page, mm);
      stamps.push(pfn <= 0 ? 0 : this.m.frame.stamp[pfn]);
    }
    return stamps;
  }
}
