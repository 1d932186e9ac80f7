/** Machines that threads can share, with processes to scan; what can be compared of two of them. */
import { asBrand, Random } from '@thplab/arena';
import {
  bootMachine,
  checkMachine,
  folioOrder,
  type Machine,
  type MmId,
  mmAlloc,
  mmap,
  PTE_DIRTY,
  PTE_WRITE,
  PTE_YOUNG,
  placeBasePages,
  placeFolio,
  placeSwapped,
  placeZeroPages,
  type VmaId,
  type Vpn,
  vmaAt,
} from '@thplab/mm-model';
import { createCollapseContext, generationByName, installMadviseCollapse } from '@thplab/mthp-collapse';
import { type Procedure, runToEnd } from '@thplab/sync';
import { settingIndex, THP_ENABLED } from '@thplab/sysfs-schema';
import { createKhugepaged, type Khugepaged, khugepagedEnter, writeSysfs } from '../index.js';
import { POOL_TABLES, poolSizes } from '../pool/attach.js';
import { readAddressSpace } from './stress/page-reader.js';

const ATTRIBUTES = PTE_YOUNG | PTE_WRITE | PTE_DIRTY;
const N = 512;

/** First page of every process's memory. */
export const FIRST = 0x10000;

/** A machine of threads, not yet running. */
export interface PoolWorld {
  readonly m: Machine;
  readonly k: Khugepaged;
  readonly mms: readonly MmId[];
}

/** How a world is made. */
export interface PoolWorldConfig {
  readonly processes: number;
  /** PMD ranges of each process. */
  readonly ranges: number;
  readonly seed?: number;
  readonly mms?: number;
  readonly pages?: number;
  /** Every range full of base pages, instead of all kinds of ranges. */
  readonly uniform?: boolean;
  /** Default `merged`. */
  readonly profile?: 'merged' | 'v6.18' | 'v12' | 'hints-rfc';
  /** Files below transparent_hugepage/ to write first. */
  readonly sysfs?: Readonly<Record<string, string>>;
}

/** Makes a world; the same configuration makes the same one. */
export function makePoolWorld(config: PoolWorldConfig): PoolWorld {
  const { processes, ranges, seed = 1, mms = 64 } = config;
  const { machine: m } = bootMachine({
    nodePages: [config.pages ?? Math.max(131_072, 3 * processes * ranges * N)],
    cpus: 8,
    swapPages: 4096,
    limits: { mms },
    extraTables: POOL_TABLES,
    extraSizes: poolSizes(mms),
  });
  m.setting.value[settingIndex('enabled')] = THP_ENABLED.always;
  m.setting.value[settingIndex('khugepaged.scan_sleep_millisecs')] = 0;
  const profile = config.profile ?? 'merged';
  const collapse = createCollapseContext({ machine: m, generation: generationByName(profile), profile });
  installMadviseCollapse(collapse);
  const k = createKhugepaged({ machine: m, profile, collapse, startThread: () => {} });
  for (const [path, text] of Object.entries(config.sysfs ?? {})) {
    const outcome = runNow(m, writeSysfs(k, path, text));
    if (outcome.errno !== 0) throw new Error(`${path}: ${text}: errno ${outcome.errno}`);
  }
  const random = new Random(seed);
  const made: MmId[] = [];
  for (let p = 0; p < processes; p++) {
    const mm = mmAlloc(m);
    runNow(m, mmap(m, mm, { at: asBrand<Vpn>(FIRST), pages: ranges * N, fixed: 'replace' }));
    const vma = vmaAt(m, mm, FIRST) as VmaId;
    for (let r = 0; r < ranges; r++)
      fillRange(m, vma, FIRST + r * N, config.uniform === true ? 0 : random.below(8), random);
    runNow(m, khugepagedEnter(k, mm));
    made.push(mm);
  }
  return { m, k, mms: made };
}

/** Runs a procedure now, on this thread. */
export function runNow<T>(m: Machine, procedure: Procedure<T>): T {
  return runToEnd(m.domain, procedure);
}

function fillRange(m: Machine, vma: VmaId, first: number, kind: number, random: Random): void {
  const at = (slot: number): Vpn => asBrand(first + slot);
  if (kind <= 2) placeBasePages(m, vma, at(0), N, ATTRIBUTES);
  else if (kind === 3) placeBasePages(m, vma, at(random.below(N - 20)), 16, ATTRIBUTES);
  else if (kind === 4) {
    placeBasePages(m, vma, at(0), 256, ATTRIBUTES);
    placeZeroPages(m, vma, at(256), 8, 0);
    placeSwapped(m, vma, at(300), 4);
  } else if (kind === 5) {
    placeFolio(m, vma, at(0), 4, ATTRIBUTES);
    placeBasePages(m, vma, at(16), 400, ATTRIBUTES);
  } else if (kind === 6) placeFolio(m, vma, at(0), 9, ATTRIBUTES, { pmdMapped: true });
}

/**
 * Everything of a process that does not depend on which frames it got: each page's kind, content, order of its folio and
 * right to write, and the counts of the address space.
 */
export function processState(m: Machine, mm: MmId): string[] {
  const lines: string[] = [];
  for (const [page, seen] of readAddressSpace(m, mm)) {
    const order = seen.kind === 'page' ? folioOrder(m, seen.where) : 0;
    lines.push(
      `${page}: ${seen.kind} ${seen.content} order ${order} ${seen.writable ? 'w' : 'r'}${seen.huge ? ' huge' : ''}`,
    );
  }
  const { rssAnon, swapEnts, anonThps, pageTables } = m.mm;
  lines.push(`rss ${rssAnon[mm]}, swap ${swapEnts[mm]}, huge ${anonThps[mm]}, tables ${pageTables[mm]}`);
  return lines;
}

/** The whole machine up to a renaming of frames, swap slots, tables and other rows: processes, counters, free memory. */
export function machineState({ m, k, mms }: PoolWorld): Record<string, unknown> {
  return {
    processes: mms.map((mm) => processState(m, mm)),
    vmstat: [...m.vmstat.value],
    mthpStat: [...m.mthpStat.value],
    collapsed: k.t.khugepaged.pagesCollapsed[0],
    fullScans: k.t.khugepaged.fullScans[0],
    ranges: k.t.khugepaged.rangesScanned[0],
    free: m.node.freePages[0],
  };
}

/** What the oracle finds wrong, and locks that are not free. */
export function defects({ m }: { readonly m: Machine }): string[] {
  const wrong = [...checkMachine(m)];
  for (const lockClass of m.domain.classes) {
    for (let at = lockClass.offset; at < lockClass.words.length; at++) {
      if (lockClass.words[at] !== 0) wrong.push(`${lockClass.name}: word ${at} is ${lockClass.words[at]}`);
    }
  }
  return wrong;
}
