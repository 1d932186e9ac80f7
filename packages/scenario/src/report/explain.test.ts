import { describe, expect, it } from 'vitest';
import { runText } from '../testing/scenario-text.js';
import { type ExplainRow, explainRanges, explainTable } from './explain.js';

function rowsOf(body: string): ExplainRow[] {
  return [...explainRanges(runText(body).world)];
}

describe('why a range is as it is', () => {
  it('names the result of the last look, and what is in the range', () => {
    const rows = rowsOf(`
sysfs: { khugepaged/max_ptes_none: 100 }
processes: [{ name: app, vmas: [{ name: heap, size: 6M, advice: hugepage, populate: [{ pages: 0-511 }, { pages: 600-699 }] }] }]
run: { for: 1s }`);
    expect(rows.map(({ block, outcome, passedBy }) => [block, outcome, passedBy])).toEqual([
      [0, 'collapsed 2M', null],
      [1, 'exceed_none_pte', null],
      [2, 'no_pte_table', null],
    ]);
    expect(rows[1].entries).toMatchObject({ page: 100, none: 412 });
    expect(rows[1].looks).toBe(1);
  });

  it('names what keeps khugepaged from ever coming', () => {
    const rows = rowsOf(`
sysfs: { enabled: madvise }
processes:
  - name: app
    vmas:
      - { name: plain, size: 2M, populate: full }
      - { name: refused, size: 2M, populate: full, advice: nohugepage }
      - { name: small, size: 1M, populate: full, advice: hugepage }
      - { name: untouched, size: 2M, advice: hugepage }
      - { name: special, size: 2M, populate: full, flags: [pfnmap] }
  - { name: off, thp: disable, vmas: [{ name: heap, size: 2M, populate: full }] }
  - { name: quiet, vmas: [{ name: heap, size: 2M, populate: full, advice: hugepage }] }
run: { for: 1s, khugepaged: false }`);
    const reasons = Object.fromEntries(rows.map((row) => [`${row.process} ${row.vma}`, row.passedBy]));
    expect(reasons).toMatchObject({
      'app plain': 'not eligible: no size is enabled in sysfs for memory without MADV_HUGEPAGE',
      'app refused': 'not eligible: no size is enabled in sysfs for memory without MADV_HUGEPAGE',
      'app small': 'not eligible: no aligned block of an enabled size lies in it',
      'app untouched': 'not eligible: never written to (no anon_vma)',
      'off heap': 'not eligible: no size is enabled in sysfs for memory without MADV_HUGEPAGE',
      'quiet heap': 'khugepaged does not run in this scenario',
    });
    expect(rows.every((row) => row.outcome === 'not_scanned')).toBe(true);
    expect(rows.find((row) => row.vma === 'small')?.block).toBeNull();
  });

  it('names the rule that stands behind sysfs', () => {
    const reason = (vma: string, process = ''): string | null =>
      rowsOf(`sysfs: { enabled: always }
processes: [{ name: app, ${process} vmas: [{ name: heap, size: 2M, ${vma} }] }]
run: { for: 1s }`)[0].passedBy;
    expect(reason('populate: full, advice: nohugepage')).toBe('not eligible: MADV_NOHUGEPAGE');
    expect(reason('populate: full, flags: [pfnmap]')).toBe('not eligible: special mapping (VM_NO_KHUGEPAGED)');
    expect(reason('populate: full', 'thp: disable,')).toBe('not eligible: prctl(PR_SET_THP_DISABLE)');
    expect(reason('populate: full', 'thp: except-advised,')).toContain('EXCEPT_ADVISED');
    expect(reason('populate: none')).toBe('not eligible: never written to (no anon_vma)');
    expect(reason('populate: full')).toBeNull();
  });

  it('tells a process that nobody registered: the settings changed after its last fault', () => {
    const rows = rowsOf(`
sysfs: { enabled: madvise }
processes: [{ name: app, vmas: [{ name: heap, size: 2M, populate: full }] }]
events: [{ at: 1ms, sysfs: { enabled: always } }]
run: { for: 1s }`);
    expect(rows[0].passedBy).toBe('not registered with khugepaged');
  });
});

describe('one table in detail', () => {
  const scenario = `
machine: { memory: 64M, pmdOrder: 3 }
sysfs: { enabled: madvise, hugepages-16kB/enabled: madvise, khugepaged/max_ptes_none: 0 }
processes: [{ name: app, vmas: [{ name: heap, size: 64K, advice: hugepage, populate: { bitmap: ["0b1111_1111", "0b1111_0110"] } }] }]
run: { for: 1s }`;

  it('shows each look: what was there, which windows were tried or passed by, with the locks between', () => {
    const page = 0x100000 / 4096 + 8;
    const { world } = runText(scenario, { zoom: [{ process: 'app', page }] });
    const rows = [...explainRanges(world)];
    const table = explainTable(world, rows[1]);
    expect(table.view.pmd).toBe('table');
    expect(table.view.slots.map((slot) => (slot.kind === 'page' ? slot.order : slot.kind))).toEqual([
      2,
      2,
      2,
      2,
      'none',
      0,
      0,
      'none',
    ]);
    const [look] = table.looks;
    expect(look.before?.slots.map((slot) => slot.order)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(look.steps.filter((step) => step.kind !== 'lock')).toEqual([
      { kind: 'scan', result: 'succeeded', scanned: 8, none: 2, unmapped: 0, shared: 0, referenced: 6 },
      { kind: 'skip', slot: 0, size: '32K', occupied: 6, required: 8 },
      { kind: 'attempt', slot: 0, size: '16K', result: 'succeeded' },
      { kind: 'skip', slot: 4, size: '16K', occupied: 2, required: 4 },
      { kind: 'done', result: 'succeeded' },
    ]);
    const writes = look.steps.filter(
      (step) => step.kind === 'lock' && step.lock === 'mmap_lock' && step.mode === 'write',
    );
    expect(writes.map((step) => step.kind === 'lock' && step.taken)).toEqual([true, false]);
  });

  it('keeps nothing unless it is asked to', () => {
    const { world } = runText(scenario);
    expect(explainTable(world, [...explainRanges(world)][1]).looks).toEqual([]);
  });
});
