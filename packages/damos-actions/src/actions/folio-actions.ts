/**
 * Actions that look at the folios of a region one by one: stat, and those on physical addresses (DAMON spec 3.2, 3.7).
 */
import {
  clearFrameFlags,
  countVmEvent,
  FOLIO,
  findPmd,
  folioHas,
  folioIsolateLru,
  folioPages,
  isReclaimable,
  type MmId,
  mmapReadLock,
  mmapReadUnlock,
  mmgetNotZero,
  mmput,
  NO_PMD,
  type Pfn,
  PMD,
  pmdTable,
  pmdType,
  reclaimIsolated,
  setFrameFlags,
  slotOf,
  updateMirrors,
  type Vpn,
} from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import { damonGetFolio, folioOfPmd, folioOfPte, forgetUse } from '../access/folio-age.js';
import type { Damon, RunningScheme } from '../damon.js';
import type { OpsFilter } from '../schemes/filter.js';
import { opsFilterOut } from '../schemes/ops-filters.js';
import type { ActionOutcome } from './outcome.js';

/** Does something to a folio that the filters let pass; gives the bytes applied. */
export type FolioAction = (head: Pfn) => Procedure<number>;

/** Counts what the operations filters let pass, and does nothing (`damos_va_stat`, `damon_pa_stat`). */
export function* statAction(d: Damon, target: number, region: number, scheme: RunningScheme): Procedure<ActionOutcome> {
  if (scheme.config.opsFilters.length === 0) return { applied: 0, passed: 0 };
  if (d.operations === 'paddr') return yield* eachFolio(d, region, scheme, scheme.config.opsFilters, nothing);
  return yield* statVirtual(d, target, region, scheme);
}

/**
 * Reclaims the folios of a physical region (`damon_pa_pageout`). Folios in use are spared, unless the user has a filter of
 * his own for young ones.
 */
export function* pageoutAction(d: Damon, region: number, scheme: RunningScheme): Procedure<ActionOutcome> {
  const own = scheme.config.opsFilters;
  const young: OpsFilter = { type: 'young', matching: true, allow: false };
  const filters = own.some(({ type }) => type === 'young') ? own : [...own, young];
  return yield* eachFolio(d, region, scheme, filters, function* (head) {
    const { m } = d;
    forgetUse(m, head);
    if (!isReclaimable(m, head) || !folioIsolateLru(m, head)) return 0;
    updateMirrors(m, head);
    return (yield* reclaimIsolated(m, head)) * 2 ** m.geometry.pageShift;
  });
}

/** Moves folios to the active or to the inactive list (lru_prio, lru_deprio). */
export function* lruAction(
  d: Damon,
  region: number,
  scheme: RunningScheme,
  activate: boolean,
): Procedure<ActionOutcome> {
  const { m } = d;
  // biome-ignore lint/correctness/useYield: moving a folio between lists takes no time worth a step.
  return yield* eachFolio(d, region, scheme, scheme.config.opsFilters, function* (head) {
    if (activate) setFrameFlags(m, head, FOLIO.ACTIVE);
    else {
      if (folioHas(m, head, FOLIO.ACTIVE)) countVmEvent(m, 'pgdeactivate', folioPages(m, head));
      clearFrameFlags(m, head, FOLIO.ACTIVE | FOLIO.REFERENCED);
    }
    updateMirrors(m, head);
    return folioPages(m, head) * 2 ** m.geometry.pageShift;
  });
}

// biome-ignore lint/correctness/useYield: stat does nothing to a folio.
function* nothing(): Procedure<number> {
  return 0;
}

/** The folios of a physical region, each once per round of the scheme. Sizes in core units. */
export function* eachFolio(
  d: Damon,
  region: number,
  scheme: RunningScheme,
  filters: readonly OpsFilter[],
  action: FolioAction,
): Procedure<ActionOutcome> {
  const { m } = d;
  const pageSize = 2 ** m.geometry.pageShift;
  const unit = d.t.damonContext.addrUnit[d.context];
  const { lastApplied } = d.t.damosScheme;
  const last = d.t.damonRegion.end[region] * unit;
  let applied = 0;
  let passed = 0;
  for (let address = d.t.damonRegion.start[region] * unit; address < last; ) {
    const head = damonGetFolio(m, Math.floor(address / pageSize));
    if (head === 0 || head === lastApplied[scheme.row]) {
      address += pageSize;
      continue;
    }
    const size = folioPages(m, head) * pageSize;
    if (!(yield* opsFilterOut(d, scheme, head, filters))) {
      passed += size;
      applied += yield* action(head);
    }
    lastApplied[scheme.row] = head;
    address += size;
  }
  return { applied: Math.floor(applied / unit), passed: Math.floor(passed / unit) };
}

function* statVirtual(d: Damon, target: number, region: number, scheme: RunningScheme): Procedure<ActionOutcome> {
  return yield* eachVirtualFolio(d, target, region, scheme, nothing);
}

/** The folios that a region of virtual addresses maps, each once per round of the scheme. */
export function* eachVirtualFolio(
  d: Damon,
  target: number,
  region: number,
  scheme: RunningScheme,
  action: FolioAction,
): Procedure<ActionOutcome> {
  const { m } = d;
  const mm = d.t.damonTarget.mm[target] as MmId;
  if (!mmgetNotZero(m, mm)) return { applied: 0, passed: 0 };
  const pageSize = 2 ** m.geometry.pageShift;
  const { lastApplied } = d.t.damosScheme;
  const first = Math.floor(d.t.damonRegion.start[region] / pageSize);
  const end = Math.ceil(d.t.damonRegion.end[region] / pageSize);
  yield* mmapReadLock(m, mm);
  let applied = 0;
  let passed = 0;
  for (const head of foliosOf(d, mm, first, end)) {
    // Somebody may have split or freed it since the walk.
    if (head === lastApplied[scheme.row] || damonGetFolio(m, head) !== head) continue;
    const size = folioPages(m, head) * pageSize;
    if (!(yield* opsFilterOut(d, scheme, head))) {
      passed += size;
      applied += yield* action(head);
    }
    lastApplied[scheme.row] = head;
  }
  yield* mmapReadUnlock(m, mm);
  yield* mmput(m, mm);
  return { applied, passed };
}

/** The folios that a range of pages maps, in order; one whose pages lie together comes once. */
function foliosOf(d: Damon, mm: MmId, first: number, end: number): Pfn[] {
  const { m } = d;
  const found: Pfn[] = [];
  const add = (head: Pfn | 0): void => {
    if (head !== 0 && found.at(-1) !== head) found.push(head);
  };
  for (let page = first; page < end; ) {
    const blockEnd = Math.min(end, page - (page % m.ptes) + m.ptes);
    const pmd = findPmd(m, mm, page as Vpn);
    const entry = pmd === NO_PMD ? 0 : m.directory.entry[pmd];
    if (pmdType(entry) === PMD.huge) add(folioOfPmd(m, entry));
    else if (pmdType(entry) === PMD.table) {
      for (let at = page; at < blockEnd; at++) add(folioOfPte(m, pmdTable(entry), slotOf(m, at as Vpn)));
    }
    page = blockEnd;
  }
  return found;
}
