/** Monitoring physical memory: a page is looked at through all entries that map it (mm/damon/paddr.c; DAMON spec 1.10). */
import { clearBitAtomic, getBit } from '@thplab/arena';
import {
  directoryOf,
  FOLIO,
  folioDrop,
  folioGet,
  folioHas,
  folioLockAnonVma,
  folioMapcount,
  folioPages,
  folioUnlockAnonVma,
  type Machine,
  type MmId,
  type Pfn,
  PMD,
  PMD_YOUNG,
  type PmdRef,
  pmdPfn,
  pmdType,
  pteBit,
  rmapWalk,
  updateMirrors,
  type VmaId,
} from '@thplab/mm-model';
import { acquire, type Procedure, READ, release, spend } from '@thplab/sync';
import type { Damon } from '../damon.js';
import { appendRegion } from '../monitor/regions.js';
import type { AccessChecks } from './access-checks.js';
import { damonGetFolio, markOld } from './folio-age.js';
import { forgetLast, lastResult, remember, sameFolio } from './last-checked.js';
import { chooseSamplingAddress } from './sampling.js';
import { count, sampleWindow } from './vaddr.js';

/** Operations on physical addresses: byte addresses of frames, divided by `addr_unit`. */
export function paddrChecks(d: Damon): AccessChecks {
  return {
    *init() {
      for (const target of d.targets.rows(d.context)) initRegions(d, target);
      yield spend(d.m.costs.scanVisit);
    },
    *prepare() {
      for (const target of d.targets.rows(d.context)) {
        for (const region of d.regions.rows(target)) {
          const head = damonGetFolio(d.m, frameOf(d, chooseSamplingAddress(d, region, d.random)));
          if (head !== 0) yield* folioMkold(d, head);
          else yield spend(d.m.costs.scanVisit);
        }
      }
    },
    *check() {
      d.most = 0;
      for (const target of d.targets.rows(d.context)) yield* checkTarget(d, target);
      return d.most;
    },
    *update() {},
    isValid: () => true,
  };
}

/** Frame of a physical address. */
export function frameOf(d: Damon, address: number): number {
  return Math.floor((address * d.t.damonContext.addrUnit[d.context]) / 2 ** d.m.geometry.pageShift);
}

/** Without ranges of the user's, the largest piece of memory is monitored, as tools do. */
function initRegions(d: Damon, target: number): void {
  if (!d.regions.isEmpty(target)) return;
  const { firstPfn, endPfn } = d.m.node;
  let largest = 0;
  for (let node = 1; node < d.m.nodes; node++) {
    if (endPfn[node] - firstPfn[node] > endPfn[largest] - firstPfn[largest]) largest = node;
  }
  const unitsPerPage = 2 ** d.m.geometry.pageShift / d.t.damonContext.addrUnit[d.context];
  appendRegion(d, target, firstPfn[largest] * unitsPerPage, endPfn[largest] * unitsPerPage);
}

function* checkTarget(d: Damon, target: number): Procedure<void> {
  const { m } = d;
  const window = sampleWindow(d);
  forgetLast(d, 2 ** m.geometry.pageShift);
  for (const region of d.regions.rows(target)) {
    const address = d.t.damonRegion.samplingAddress[region] * d.t.damonContext.addrUnit[d.context];
    if (!sameFolio(d, address)) {
      const head = damonGetFolio(m, Math.floor(address / 2 ** m.geometry.pageShift));
      const young = head !== 0 && (yield* folioYoung(d, head));
      remember(d, address, head === 0 ? 0 : folioPages(m, head) * 2 ** m.geometry.pageShift, young);
    }
    count(d, region, lastResult(d), window);
  }
}

/** Makes a folio old wherever it is mapped (`damon_folio_mkold`). */
export function* folioMkold(d: Damon, head: Pfn): Procedure<void> {
  const { m } = d;
  yield spend(m.costs.scanVisit);
  if (folioMapcount(m, head) === 0) markOld(m, head, false);
  yield* walkMapped(d, head, (pmds) => {
    const young = clearYoung(m, head, pmds);
    markOld(m, head, young);
    return young;
  });
}

/** True if an entry that maps the folio, or the folio itself, shows an access (`damon_folio_young`). */
export function* folioYoung(d: Damon, head: Pfn): Procedure<boolean> {
  const { m } = d;
  yield spend(m.costs.scanVisit);
  if (!folioHas(m, head, FOLIO.IDLE)) return true;
  return yield* walkMapped(d, head, (pmds) => readYoung(m, head, pmds));
}

/**
 * Runs `look` with the reverse map of the folio and the PMDs that map it locked; false if it is mapped nowhere, or its lock
 * is not to be had (the folio of a file that somebody has locked).
 */
function* walkMapped(d: Damon, head: Pfn, look: (pmds: readonly PmdRef[]) => boolean): Procedure<boolean> {
  const { m } = d;
  if (folioMapcount(m, head) === 0) return false;
  if (d.locking === 'batch') return look(pmdsOf(m, head));
  if (!folioHas(m, head, FOLIO.ANON)) return look(pmdsOf(m, head));
  // The reference keeps the folio whole meanwhile; a collapse that comes now finds it unexplained, as in the kernel.
  folioGet(m, head);
  updateMirrors(m, head);
  const young = yield* walkAnon(d, head, look);
  folioDrop(m, head);
  return young;
}

function* walkAnon(d: Damon, head: Pfn, look: (pmds: readonly PmdRef[]) => boolean): Procedure<boolean> {
  const { m } = d;
  const anonVma = yield* folioLockAnonVma(m, head, READ);
  if (anonVma === 0) return false;
  const pmds = pmdsOf(m, head);
  const locks = [...new Set(pmds.map((pmd) => directoryOf(m, pmd)))].sort((a, b) => a - b);
  // One at a time is enough to look; the first is the only one in all but forked memory.
  let young = false;
  if (locks.length === 0) young = look([]);
  for (const directory of locks) {
    yield acquire(m.locks.pmdLock.ref(directory));
    young = look(pmds.filter((pmd) => directoryOf(m, pmd) === directory && maps(m, pmd, head))) || young;
    yield release(m.locks.pmdLock.ref(directory));
  }
  yield* folioUnlockAnonVma(m, anonVma, READ);
  return young;
}

function maps(m: Machine, pmd: PmdRef, head: Pfn): boolean {
  const entry = m.directory.entry[pmd];
  return pmdType(entry) === PMD.huge && pmdPfn(m, entry) === head;
}

function pmdsOf(m: Machine, head: Pfn): PmdRef[] {
  const found: PmdRef[] = [];
  rmapWalk(m, head, { pte() {}, pmd: (pmd) => found.push(pmd) });
  return found;
}

/** Accesses until now leave their marks, wherever the folio is mapped. */
function settle(m: Machine, head: Pfn): void {
  const mm = (vma: VmaId) => m.vma.mm[vma] as MmId;
  rmapWalk(m, head, {
    pte: (_table, _slot, _pfn, vma, page) => m.hooks.settleAccess(mm(vma), page),
    pmd: (_pmd, vma, page) => m.hooks.settleAccess(mm(vma), page),
  });
}

function clearYoung(m: Machine, head: Pfn, pmds: readonly PmdRef[]): boolean {
  let young = false;
  settle(m, head);
  rmapWalk(m, head, {
    pte(table, slot) {
      young = clearBitAtomic(m.pte.young, pteBit(m, table, slot)) || young;
    },
    pmd() {},
  });
  for (const pmd of pmds) {
    young ||= (m.directory.entry[pmd] & PMD_YOUNG) !== 0;
    m.directory.entry[pmd] = (m.directory.entry[pmd] & ~PMD_YOUNG) >>> 0;
  }
  return young;
}

function readYoung(m: Machine, head: Pfn, pmds: readonly PmdRef[]): boolean {
  let young = false;
  settle(m, head);
  rmapWalk(m, head, {
    pte(table, slot) {
      young ||= getBit(m.pte.young, pteBit(m, table, slot));
    },
    pmd() {},
  });
  return young || pmds.some((pmd) => (m.directory.entry[pmd] & PMD_YOUNG) !== 0);
}
