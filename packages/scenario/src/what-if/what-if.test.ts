import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { captureProcess } from '@thplab/capture';
import { describe, expect, it } from 'vitest';
import { sampleSnapshot } from '../testing/sample-snapshot.js';
import { defaultVariants } from './default-variants.js';
import { profileOfRelease } from './snapshot-machine.js';
import { whatIf, whatIfInPieces } from './what-if.js';
import type { WhatIfVariant } from './what-if-result.js';

const START = 0x7f000000;
const always = (maxPtesNone: number): WhatIfVariant => ({
  label: `always ${maxPtesNone}`,
  sysfs: [
    { path: 'enabled', value: 'always' },
    { path: 'khugepaged/max_ptes_none', value: String(maxPtesNone) },
  ],
});

/** Four ranges: full, 400 pages, 16 pages, nothing; not advised. */
const sparse = sampleSnapshot([
  {
    start: START,
    pages: 2048,
    runs: [
      { first: 0, count: 512, kind: 'anon' },
      { first: 512, count: 400, kind: 'anon' },
      { first: 1024, count: 16, kind: 'anon' },
    ],
  },
]);

describe('what-if', () => {
  it('tells huge pages, extra memory, work and refusals of each variant', () => {
    const result = whatIf(sparse, [{ label: 'as it is', sysfs: [] }, always(0), always(200), always(511)]);
    expect(result.variants.map((variant) => variant.after.folios)).toEqual([{}, { '2M': 1 }, { '2M': 2 }, { '2M': 3 }]);
    const added = result.variants.map(({ before, after }) => (after.rss - before.rss) / 4096);
    expect(added).toEqual([0, 0, 112, 112 + 496]);
    expect(result.variants.map((variant) => variant.pagesCopied)).toEqual([0, 512, 912, 928]);
    expect(result.variants[1].outcomes).toEqual({ exceed_none_pte: 2, 'collapsed 2M': 1, pmd_none: 1 });
    expect(result.variants[3].worstStallNs).toBeGreaterThan(0);
    expect(result.variants[3].cpuNs).toBeGreaterThan(result.variants[1].cpuNs);
    expect(result.variants[3].lastCollapseNs).toBeGreaterThan(0);
    expect(result.variants.every((variant) => variant.settled)).toBe(true);
    expect(result.partial).toBe(false);
  });

  it('gives the lines that make a machine have the setting', () => {
    const [variant] = whatIf(sparse, [always(64)]).variants;
    expect(variant.shell).toEqual([
      'echo always > /sys/kernel/mm/transparent_hugepage/enabled',
      'echo 64 > /sys/kernel/mm/transparent_hugepage/khugepaged/max_ptes_none',
    ]);
  });

  it('starts from the settings of the capture', () => {
    const [variant] = whatIf(sparse, [{ label: 'advised', sysfs: [] }], { adviseAll: true }).variants;
    // scan_sleep_millisecs is 1000: the two scans without a collapse after the first take a second each.
    expect(variant.scanNs).toBeGreaterThan(2e9);
    expect(variant.scanNs).toBeLessThan(4e9);
    expect(variant.after.folios).toEqual({ '2M': 3 });
  });

  it('runs the kernel that it is told to, and else the nearest to the one that ran', () => {
    expect(whatIf(sparse, [always(0)]).variants[0].kernel).toBe('v6.18');
    expect(whatIf(sparse, [always(0)], { kernel: 'merged' }).variants[0].kernel).toBe('merged');
    expect(['6.1.0-23-amd64', '6.16.3', '6.18.0', '6.19.1', '7.1.0', 'odd'].map(profileOfRelease)).toEqual([
      'v6.13',
      'v6.18',
      'v6.18',
      'merged',
      'merged',
      'merged',
    ]);
    const mthp = defaultVariants('merged').at(-1) as WhatIfVariant;
    const [variant] = whatIf(sparse, [mthp], { kernel: 'merged' }).variants;
    expect(variant.after.folios).toEqual({ '64K': 32 + 25 + 1 });
    expect(variant.after.rss).toBe(variant.before.rss);
  });

  it('finds no huge page where the free memory of the capture is in small pieces that stay', () => {
    const broken = sampleSnapshot([{ start: START, pages: 512, runs: [{ first: 0, count: 512, kind: 'anon' }] }], {
      memFreeKb: 8192,
      freeBlocks: [{ node: 0, zone: 'Normal', blocks: [2048] }],
    });
    const [variant] = whatIf(broken, [
      { label: 'no defrag', sysfs: [...always(0).sysfs, { path: 'khugepaged/defrag', value: '0' }] },
    ]).variants;
    expect(variant.allocationFailures).toBeGreaterThan(0);
    expect(variant.after.folios).toEqual({});
  });

  it('is the same in pieces, and partial when it is stopped', () => {
    const variants = [always(0), always(511)];
    const pieces = whatIfInPieces(sparse, variants);
    let piece = pieces.next();
    while (piece.done !== true) piece = pieces.next();
    expect(JSON.stringify(piece.value)).toBe(JSON.stringify(whatIf(sparse, variants)));
    let asked = 0;
    const stopped = whatIf(sparse, variants, { shouldStop: () => ++asked > 1 });
    expect(stopped.partial).toBe(true);
  });
});

const live = process.platform === 'linux' && process.geteuid?.() === 0;

describe.skipIf(!live)('what-if on a real process', () => {
  it('covers a heap of a Node process, and fills up a sparse one only if it may', async () => {
    const child = spawn(
      process.execPath,
      [
        '-e',
        'const full = Buffer.alloc(64 * 2 ** 20, 1), sparse = Buffer.alloc(64 * 2 ** 20); for (let i = 0; i < sparse.length; i += 65536) sparse[i] = 1; process.stdout.write("ready"); process.stdin.on("data", () => full.length + sparse.length);',
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    try {
      await once(child.stdout, 'data');
      const { snapshot } = await captureProcess({ pid: child.pid ?? 0 });
      const [none, all] = whatIf(snapshot, [always(0), always(511)], { young: 'all' }).variants;
      expect(none.before.rss).toBeGreaterThan(64 * 2 ** 20);
      expect(none.after.folios['2M']).toBeGreaterThanOrEqual(30);
      expect(none.after.rss).toBe(none.before.rss);
      expect(all.after.folios['2M']).toBeGreaterThanOrEqual(none.after.folios['2M'] + 30);
      expect(all.after.rss - all.before.rss).toBeGreaterThan(50 * 2 ** 20);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
