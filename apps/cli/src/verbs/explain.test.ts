import { describe, expect, it } from 'vitest';
import { palette } from '../output/palette.js';
import { FAKE_PID, fakeProc } from '../testing/fake-proc.js';
import { expectGolden } from '../testing/golden.js';
import { folderWith, runCli } from '../testing/run-cli.js';
import { tablePicture } from './explain/picture.js';

const TOY = 'examples/toy-table.yaml';

/** A range for each of some outcomes. */
const REASONS = `format: thplab/scenario@1
name: reasons
machine: { memory: 256M }
sysfs: { enabled: always, khugepaged/scan_sleep_millisecs: 100, khugepaged/max_ptes_none: 64 }
processes:
  - name: app
    vmas:
      - { name: full, size: 4M, populate: full }
      - { name: thin, size: 2M, populate: "0-99" }
      - { name: empty, size: 2M }
      - { name: small, size: 64K, populate: full }
      - { name: refused, size: 2M, advice: nohugepage, populate: full }
  - name: other
    thp: disable
    vmas: [{ name: full, size: 2M, populate: full }]
run: { for: 1s }
`;

describe('explain', () => {
  it('names one outcome per range', async () => {
    const { code, stdout, stderr } = await runCli(['explain', '-'], { stdin: REASONS });
    expect([code, stderr]).toEqual([0, '']);
    expectGolden(import.meta.dirname, 'explain', stdout);
  });

  it('counts outcomes and says what they mean', async () => {
    const { stdout } = await runCli(['explain', '-', '--summary', '--process', 'app'], { stdin: REASONS });
    expectGolden(import.meta.dirname, 'explain.summary', stdout);
  });

  it('zooms into one table: entries, windows, steps, locks', async () => {
    const { code, stdout, stderr } = await runCli(['explain', TOY, '--range', 'heap:1']);
    expect([code, stderr]).toEqual([0, '']);
    expectGolden(import.meta.dirname, 'explain.range', stdout);
  });

  it('shows the 512 entries of a real table', async () => {
    const { stdout } = await runCli(['explain', '-', '--range', 'thin:0'], { stdin: REASONS });
    expectGolden(import.meta.dirname, 'explain.table', stdout);
  });

  it.each(['heap:1', 'app/heap:1', '0x108000', '0x10ffff', '1'])('finds a range by %s', async (range) => {
    const { stdout } = await runCli(['explain', TOY, '--range', range, '--json']);
    const { range: row, table } = JSON.parse(stdout);
    expect(row).toMatchObject({ process: 'app', vma: 'heap', block: 1 });
    expect(table.view.slots.length).toBe(8);
    expect(table.looks[0].steps.map(({ kind }: { kind: string }) => kind)).toContain('attempt');
  });

  it('selects by outcome, process and VMA', async () => {
    const outcomes = async (...args: string[]): Promise<string[]> => {
      const { stdout } = await runCli(['explain', '-', '--ndjson', ...args], { stdin: REASONS });
      return stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line).outcome);
    };
    expect(await outcomes('--only', 'exceed_none_pte')).toEqual(['exceed_none_pte']);
    expect(await outcomes('--only', 'collapsed')).toEqual(['collapsed 2M', 'collapsed 2M']);
    expect(await outcomes('--process', 'other')).toEqual(['not_scanned']);
    expect(await outcomes('--vma', 'full')).toEqual(['collapsed 2M', 'collapsed 2M', 'not_scanned']);
  });

  it('explains a captured process', async () => {
    const cwd = folderWith({});
    await runCli(['capture', '--pid', String(FAKE_PID), '-o', 'app.thpsnap', '-q'], { cwd, ...fakeProc() });
    const args = ['explain', 'app.thpsnap', '--set', 'khugepaged/max_ptes_none=0'];
    const { code, stdout, stderr } = await runCli(args, { cwd });
    expect([code, stderr]).toEqual([0, '']);
    expectGolden(import.meta.dirname, 'explain.snapshot', stdout);
  });

  it('ends at Ctrl-C with the ranges as far as it came', async () => {
    const stdin = REASONS.replace('for: 1s', 'for: 300s');
    const interruptWhen = ({ stderr }: { stderr: string }): boolean => stderr.includes('[#') || stderr.includes('[.');
    const { code, stdout, stderr } = await runCli(['explain', '-'], { stdin, terminal: 100, interruptWhen });
    expect(code).toBe(130);
    expect(stdout).toContain('PARTIAL');
    expect(stderr).toContain('thplab: interrupted');
  });

  it.each([
    [['--range', 'heap:9'], 'names none of the 4 ranges; did you mean'],
    [['--range', '0x1'], 'such as app/heap:0 or 0x100000'],
    [['--only', 'exceed_non_pte'], 'did you mean exceed_none_pte?'],
    [['--process', 'ap'], 'did you mean app?'],
    [['--vma', 'stack'], 'no VMA is called "stack"; there are heap'],
  ])('refuses %j', async (args, message) => {
    const { code, stdout, stderr } = await runCli(['explain', TOY, ...args]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });
});

describe('the picture of a table', () => {
  it('has a letter for each kind of entry, and for the order of its folio', () => {
    const page = (order: number) => ({ kind: 'page' as const, order });
    const other = (kind: 'none' | 'zero' | 'swap' | 'other') => ({ kind, order: 0 });
    const slots = [page(0), page(4), page(13), other('none'), other('zero'), other('swap'), other('other')];
    const text = tablePicture(slots, (order) => `${2 ** order * 4}K`, palette(false));
    expect(text).toBe(
      `  0  04D.zs!

  !  migration, poison, guard or device entry, 1
  .  empty, 1
  0  single page of 4K, 1
  4  page of a 64K folio, 1
  D  page of a 32768K folio, 1
  s  swapped out, 1
  z  zero page, 1
`,
    );
  });
});
