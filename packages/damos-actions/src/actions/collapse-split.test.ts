// What collapse and split do to memory, and what they say they did (DAMON spec 4.1, 4.3, 4.4, 4.5, and 10 #11 to #13).

import {
  allocPmd,
  checkMachine,
  createFile,
  errnoName,
  FOLIO,
  folioGet,
  folioOrder,
  handleMmFault,
  injectAllocationFailure,
  MADV,
  type MmId,
  madvise,
  mmap,
  newTable,
  type Pfn,
  pinPages,
  placeCachedPages,
  placeHugeCachedPages,
  setHugeZeroPmd,
  updateMirrors,
  VM,
  VMA_KIND,
} from '@thplab/mm-model';
import { createCollapseContext, installMadviseCollapse } from '@thplab/mthp-collapse';
import { describe, expect, it } from 'vitest';
import { damonMm } from '../profile.js';
import { adjustQuota } from '../schemes/quota.js';
import { effectiveBytes, schemeAt } from '../schemes/running.js';
import { ANY_PATTERN } from '../schemes/scheme.js';
import { effectiveTargetOrder, validateTargetOrder } from '../schemes/target-order.js';
import { PROFILES, playActionCase } from '../testing/action-cases.js';
import { applyOnce, BASE, event, folios, range } from '../testing/apply-once.js';
import { bareContext } from '../testing/bare-context.js';
import { type DamonWorld, fillBase, fillHuge, makeDamonWorld, makeProcess, page } from '../testing/damon-world.js';
import {
  COLLAPSE_CASES,
  COLLAPSE_ERRORS,
  COLLAPSE_ORDER_CASES,
  HUGE,
  MODULE_SCHEME,
} from '../testing/golden-collapse.js';
import {
  BLOCKS_TOUCHED,
  SPLIT_AND_BACK,
  SPLIT_CASES,
  SPLIT_ERRORS,
  SPLIT_MEMORY,
  TARGET_ORDER_FILE,
  TARGET_ORDERS,
} from '../testing/golden-split.js';
import { refusal } from '../testing/rounds.js';
import { blocksTouched } from './blocks.js';

/** A process with so many huge pages at BASE. */
function hugeProcess(w: DamonWorld, blocks: number): MmId {
  const { mm, vma } = makeProcess(w, BASE, blocks * 512);
  fillHuge(w, vma, BASE, blocks);
  return mm;
}

describe.each([
  ['collapse', COLLAPSE_CASES],
  ['collapse with a target order', COLLAPSE_ORDER_CASES],
  ['split', SPLIT_CASES],
] as const)('%s', (_name, cases) => {
  it.each(cases)('$row: $says', (row) => {
    const { stats, folios: found, complaints } = playActionCase(row);
    expect(stats).toMatchObject(row.stats);
    expect(found).toEqual(row.folios);
    expect(complaints).toEqual([]);
  });
});

describe('MADV_COLLAPSE', () => {
  const spoil: Record<(typeof COLLAPSE_ERRORS)[number]['obstacle'], (w: DamonWorld, mm: MmId) => void> = {
    'no huge page': (w) => injectAllocationFailure(w.m, { order: 9, nth: 1 }),
    'memcg full': (w) =>
      installMadviseCollapse(createCollapseContext({ machine: w.m, injections: { chargeFails: () => true } })),
    'pinned page': (w, mm) => void w.run(() => pinPages(w.m, mm, page(BASE + 7), 1, { write: true })),
    'no page table': (w, mm) => void w.run(() => madvise(w.m, mm, page(BASE), 512, MADV.DONTNEED)),
  };

  it.each(COLLAPSE_ERRORS)('$row: $errno', ({ obstacle, errno }) => {
    const w = makeDamonWorld();
    const { mm, vma } = makeProcess(w, BASE, 512);
    fillBase(w, vma, BASE, 512);
    spoil[obstacle](w, mm);
    expect(errnoName(w.run(() => madvise(w.m, mm, page(BASE), 512, MADV.COLLAPSE)))).toBe(errno);
    expect(w.m.mm.anonThps[mm]).toBe(0);
  });
});

describe('the scheme of the auto-tuning module', () => {
  it('is taken, and starts with what fits into its time', () => {
    const { minSize, minAge, quota, weights, goalBp, firstWindow } = MODULE_SCHEME;
    const goals = [{ metric: 'user_input' as const, targetValue: goalBp }];
    const any = {
      ...ANY_PATTERN,
      size: { ...ANY_PATTERN.size, min: minSize },
      age: { ...ANY_PATTERN.age, min: minAge },
    };
    const scheme = { action: 'collapse' as const, pattern: any, quota: { ...quota, weights, goals } };
    const d = bareContext([range(0, 1_024)], { schemes: [scheme], profile: damonMm });
    adjustQuota(d, schemeAt(d, 0), 1e9);
    expect(effectiveBytes(d, 0)).toBe(firstWindow);
  });
});

describe('target_order', () => {
  it.each(TARGET_ORDER_FILE.writes)('$row: $value is $result', ({ value, result }) => {
    const refused = refusal(() => validateTargetOrder(value, 9));
    expect(refused).toBe(result === 'ok' ? 'taken' : result);
  });

  it.each(TARGET_ORDERS)('$row: of $action, $given becomes $used in $profile', (row) => {
    const { order, warning } = effectiveTargetOrder(row.action, row.given, 9, PROFILES[row.profile]);
    expect([order, warning !== undefined]).toEqual([row.used, row.warned]);
    if (row.warned) expect(warning).toContain(`${row.used} is used`);
  });

  it.each(BLOCKS_TOUCHED)('$row: $blocks', ({ start, end, blocks }) => {
    expect(blocksTouched(start, end, HUGE)).toHaveLength(blocks);
  });
});

describe('split', () => {
  it('makes small folios of huge pages, and collapse undoes it (2.3 VM)', () => {
    const { blocks, afterSplit, appliedBack, afterCollapse } = SPLIT_AND_BACK;
    const w = makeDamonWorld();
    const mm = hugeProcess(w, blocks);
    const regions = [range(BASE, blocks * 512)];
    applyOnce(w, mm, regions, { action: 'split', targetOrder: 2 });
    expect({ 9: folios(w, 9), 2: folios(w, 2) }).toEqual(afterSplit);
    expect(w.m.mm.anonThps[mm]).toBe(afterSplit[9]);
    expect(applyOnce(w, mm, regions, { action: 'collapse', targetOrder: 9 }).szApplied).toBe(appliedBack);
    expect({ 9: folios(w, 9), 2: folios(w, 2) }).toEqual(afterCollapse);
    expect(w.m.mm.anonThps[mm]).toBe(afterCollapse[9]);
    expect(checkMachine(w.m)).toEqual([]);
  });

  it.each(SPLIT_ERRORS)('$row: passes over a huge page $name', ({ flag, reference, order, failed }) => {
    const w = makeDamonWorld();
    const mm = hugeProcess(w, 1);
    const head = w.m.frame.flags.findIndex((flags) => (flags & 0xf) === 9 && (flags & FOLIO.ANON) !== 0) as Pfn;
    expect(folioOrder(w.m, head)).toBe(9);
    if (flag !== undefined) w.m.frame.flags[head] |= FOLIO[flag];
    if (reference) folioGet(w.m, head);
    updateMirrors(w.m, head);
    const stats = applyOnce(w, mm, [range(BASE, 512)], { action: 'split', targetOrder: order });
    expect(stats).toMatchObject({ nrTried: 1, nrApplied: 0, szApplied: 0, szOpsFilterPassed: HUGE });
    expect([folios(w, 9), event(w, 'thp_split_page_failed')]).toEqual([1, failed]);
  });

  it.each(SPLIT_MEMORY)('$row: of $memory applies $applied bytes', ({ memory, applied }) => {
    const w = makeDamonWorld();
    const { mm } = makeProcess(w, BASE, 512);
    if (memory === 'huge zero page') {
      setHugeZeroPmd(w.m, allocPmd(w.m, mm, page(BASE)), newTable(w.m, mm, page(BASE)));
    } else mapFile(w, mm, memory.startsWith('shmem'), memory.endsWith('huge'));
    const stats = applyOnce(w, mm, [range(BASE, 512)], { action: 'split', targetOrder: 2 });
    expect(stats).toMatchObject({ nrTried: 1, szApplied: applied, szOpsFilterPassed: HUGE });
    expect(event(w, 'thp_split_page')).toBe(applied / HUGE);
    expect(checkMachine(w.m)).toEqual([]);
  });
});

/** Puts a file of 2 MiB, in memory and mapped, at BASE. */
function mapFile(w: DamonWorld, mm: MmId, shmem: boolean, huge: boolean): void {
  const file = createFile(w.m, { pages: 512, shmem, pmdFolios: true });
  if (huge) placeHugeCachedPages(w.m, file, 0);
  else placeCachedPages(w.m, file, 0, 512);
  const kind = shmem ? VMA_KIND.shmem : VMA_KIND.file;
  const flags = VM.READ | VM.WRITE | VM.SHARED;
  w.run(() => mmap(w.m, mm, { at: page(BASE), pages: 512, fixed: 'replace', kind, file, flags }));
  w.run(() => handleMmFault(w.m, mm, page(BASE), { write: false }));
}
