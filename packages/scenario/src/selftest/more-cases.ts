/** The selftest's two other programs: one step with one attributed install, and the race of everything against everything. */
import { Script } from './script.js';

/** A scenario with the text of its file. */
export interface NamedScenario {
  readonly name: string;
  readonly text: string;
}

/** Pages of one window of the sync check: order 2. */
const WINDOW = 4;
export const SYNC_STEPS = 5;

/**
 * `khugepaged_sync_check` (khugepaged spec 20.3): five times four pages, MADV_HUGEPAGE, and one pass that is forced by a
 * write to scan_sleep_millisecs; each pass must install exactly that window, and nothing else.
 */
export function syncCheck(): NamedScenario {
  const s = new Script('mthp', 'anon', 2);
  s.set('khugepaged/scan_sleep_millisecs', 60_000).set('khugepaged/alloc_sleep_millisecs', 60_000);
  s.set('khugepaged/pages_to_scan', 1_000_000).area(1);
  for (let step = 0; step < SYNC_STEPS; step++) {
    const first = step * 16;
    // Not advised while it is touched: the fault itself would make the folio.
    s.madvise('nohugepage')
      .fault({ pages: `${first}-${first + WINDOW - 1}` })
      .madvise('hugepage', {}, { errno: 'ok' });
    s.step({ sysfs: { 'khugepaged/scan_sleep_millisecs': 60_000 } });
    s.folios(step + 1);
    s.check({ counters: { 'hugepages-16kB/stats/nr_anon': step + 1 } });
  }
  s.traced();
  const about = [
    "One step, one attributed install (the kernel's khugepaged_sync_check): five times four pages are written, khugepaged is",
    'made to pass once, and exactly that window becomes a 16 kB folio.',
  ];
  return { name: 'sync-check', text: s.text('sync-check', about) };
}

/** The settings of `khugepaged_race` (khugepaged spec 20.2). */
export interface RaceMode {
  readonly collapse: 'free-running' | 'madvise';
  readonly maxPtesNone: 0 | 511;
  readonly pressure: boolean;
}

export const RACE_MODES: readonly RaceMode[] = (['free-running', 'madvise'] as const).flatMap((collapse) =>
  ([0, 511] as const).flatMap((maxPtesNone) =>
    [false, true].map((pressure): RaceMode => ({ collapse, maxPtesNone, pressure })),
  ),
);

/**
 * `khugepaged_race`: three areas that everybody works on and one that is moved about, under random faults, MADV_DONTNEED,
 * pins, forks, mlock and MADV_PAGEOUT. What counts is that the machine is sound at the end and no content is lost.
 */
export function race(mode: RaceMode): NamedScenario {
  const { collapse, maxPtesNone, pressure } = mode;
  const name = `race-${collapse}-none-${maxPtesNone}${pressure ? '-pressure' : ''}`;
  const lines = [
    "# Everything against everything (the kernel's khugepaged_race): faults, MADV_DONTNEED, pins, forks, mremap, mlock and",
    `# paging out, while ${collapse === 'madvise' ? 'MADV_COLLAPSE' : 'khugepaged'} collapses, with max_ptes_none ${maxPtesNone}` +
      `${pressure ? ' and little memory' : ''}. The run must end`,
    '# with a sound machine: every reference, map count, lock and page content is checked.',
    '#',
    `#   thplab run examples/selftest/${name}.yaml`,
    'format: thplab/scenario@1',
    `name: ${name}`,
    'seed: 11',
    '',
    // With pressure, filler leaves little more than the areas need.
    `machine: { memory: 32M, cpus: 4, swap: 64M${pressure ? ', fragmentation: { fraction: 0.9, movable: 0.8 }' : ''} }`,
    '',
    'sysfs:',
    `  enabled: ${collapse === 'madvise' ? 'never' : 'always'}`,
    '  defrag: always',
    ...(collapse === 'madvise' ? [] : ['  hugepages-16kB/enabled: always', '  hugepages-64kB/enabled: always']),
    `  khugepaged/max_ptes_none: ${maxPtesNone}`,
    '  khugepaged/scan_sleep_millisecs: 1',
    '  khugepaged/alloc_sleep_millisecs: 1',
    '',
    'processes:',
    '  - name: racer',
    '    vmas:',
    '      - { name: shared, at: 0x100000000000, size: 6M, populate: { sparse: 0.5 }, advice: hugepage }',
    '      - { name: moved, at: 0x100010000000, size: 2M, populate: { sparse: 0.9 }, advice: hugepage }',
    '      - { name: paged, at: 0x100020000000, size: 2M, populate: full }',
    `  - name: hog`,
    `    vmas: [{ name: heap, size: ${pressure ? '12M' : '1M'}, populate: full }]`,
    '',
    'events:',
    '  - { at: 1ms, access: { process: racer, vma: shared, sparse: 0.3, every: 700us, write: true, for: 20ms } }',
    '  - { at: 1ms, access: { process: racer, vma: shared, sparse: 0.5, every: 900us, for: 20ms } }',
    '  - { at: 2ms, repeat: { every: 1300us, times: 14 }, madvise: { process: racer, vma: shared, pages: "700-731", advice: dontneed } }',
    '  - { at: 2ms, repeat: { every: 1700us, times: 11 }, madvise: { process: racer, vma: shared, pages: 40, advice: dontneed } }',
    '  - { at: 5ms, repeat: { every: 11ms, times: 3 }, madvise: { process: racer, vma: shared, blocks: 2, advice: dontneed } }',
    '  - { at: 2ms, repeat: { every: 2300us, times: 8 }, pin: { process: racer, vma: shared, pages: "3,515,1030", for: 1ms } }',
    '  - { at: 3ms, repeat: { every: 5ms, times: 4 }, fork: { process: racer, as: child, lifetime: 3ms } }',
    '  - { at: 3ms, repeat: { every: 4ms, times: 5 }, mlock: { process: racer, vma: shared, pages: "100-140" } }',
    '  - { at: 5ms, repeat: { every: 4ms, times: 5 }, munlock: { process: racer, vma: shared, pages: "100-140" } }',
    '  - { at: 3ms, repeat: { every: 3ms, times: 7 }, madvise: { process: racer, vma: paged, advice: pageout } }',
    '  - { at: 4ms, repeat: { every: 3ms, times: 7 }, fault: { process: racer, vma: paged, sparse: 0.2 } }',
    '  - { at: 4ms, repeat: { every: 6ms, times: 3 }, mremap: { process: racer, address: 0x100010000000, size: 2M, to: 0x100030000000 } }',
    '  - { at: 7ms, repeat: { every: 6ms, times: 3 }, mremap: { process: racer, address: 0x100030000000, size: 2M, to: 0x100010000000 } }',
    ...(collapse === 'madvise'
      ? [
          '  - { at: 1ms, repeat: { every: 1100us, times: 18 }, madvise: { process: racer, vma: shared, advice: collapse } }',
        ]
      : []),
    ...(pressure
      ? ['  - { at: 6ms, repeat: { every: 7ms, times: 3 }, fault: { process: hog, vma: heap, write: true } }']
      : []),
    '  - { at: 30ms, sysfs: { khugepaged/scan_sleep_millisecs: 60000 } }',
    '',
    'run:',
    '  for: 100ms',
    ...(collapse === 'madvise' ? ['  khugepaged: false'] : []),
    '',
  ];
  return { name, text: lines.join('\n') };
}
