import { describe, expect, it } from 'vitest';
import { readDamoRecord } from '../read-record.js';
import type { DamonRecord, RecordedRegion } from '../record.js';
import { EXAMPLE_RECORD } from '../testing/example-record.js';
import { detailedAccess, rawAccess } from './access.js';
import {
  atPercentile,
  DAMO_DISTRIBUTION,
  regionCounts,
  regionCountsText,
  workingSetSizes,
  wssText,
} from './distribution.js';
import { heatmap, heatmapGuide, heatmapRaw, heatmapText } from './heatmap.js';
import { DAMO_WEIGHTS, idleNs, temperature } from './temperature.js';

const [example] = readDamoRecord(JSON.stringify(EXAMPLE_RECORD));

/** One snapshot per list of [start, end, samples], 100 ms each. */
function record(...snapshots: readonly (readonly (readonly [number, number, number])[])[]): DamonRecord {
  return {
    kdamond: 0,
    context: 0,
    scheme: null,
    target: 7,
    intervals: { sampleNs: 5e6, aggregationNs: 1e8, updateNs: 1e9 },
    snapshots: snapshots.map((regions, at) => ({
      startNs: at * 1e8,
      endNs: (at + 1) * 1e8,
      regions: regions.map(
        ([start, end, samples]): RecordedRegion => ({
          start,
          end,
          samples,
          percent: samples * 5,
          ageNs: 0,
          ageAggregations: 0,
          filterPassedBytes: 0,
        }),
      ),
    })),
  };
}

describe('report access', () => {
  it('in the raw form is as damo prints it (DAMON spec 8.5)', () => {
    expect(rawAccess(example)).toBe(
      [
        'base_time_absolute: 0 ns',
        'data source: unknown',
        '',
        'monitoring_start:                0 ns',
        'monitoring_end:                100 ms',
        'monitoring_duration:           100 ms',
        'target_id: 4242',
        'nr_regions: 2',
        '# start_addr     end_addr        length  nr_accesses   age',
        '000000200000-000000400000 (   2.000 MiB)          20     3',
        '000000400000-000000a00000 (   6.000 MiB)           0    10',
        '',
        '',
      ].join('\n'),
    );
  });

  it('in the detailed form has rates, ages, bandwidth and a line of heat', () => {
    const text = detailedAccess(example);
    expect(text).toContain('snapshot time: [0 ns, 100 ms) (100 ms)');
    expect(text).toContain(`heatmap: ${'8'.repeat(20)}${'0'.repeat(60)}`);
    expect(text).toContain('intervals: sample 5 ms aggr 100 ms (max access hz 200.000)');
    expect(text).toContain('0 addr 2.000 MiB    size 2.000 MiB    access 200.000 hz age 300 ms');
    expect(text).toContain('memory bw estimate: 400.000 MiB per second');
    expect(text).toContain('total size: 8.000 MiB');
    expect(text.trimEnd().endsWith('record DAMON intervals: sample 5 ms, aggr 100 ms')).toBe(true);
  });

  it('temperatures and idle times are those of damo', () => {
    const [hot, cold] = example.snapshots[0].regions;
    expect(temperature(hot, 20, DAMO_WEIGHTS)).toBe(30_010_000);
    expect(temperature(cold, 20, DAMO_WEIGHTS)).toBe(-100_000_000);
    expect(idleNs(hot, example)).toBe(0);
    expect(idleNs(cold, example)).toBe(1.1e9);
  });
});

describe('report heatmap', () => {
  const moving = record(
    [
      [0, 4096, 20],
      [4096, 8192, 0],
    ],
    [
      [0, 4096, 0],
      [4096, 8192, 10],
    ],
  );

  it('gives the mean access rate of each pixel', () => {
    const map = heatmap(moving, { timePixels: 2, addressPixels: 2 });
    expect([...map.heat]).toEqual([200, 0, 0, 100]);
    expect(heatmapText(map).split('\n').slice(0, 3)).toEqual([
      '80',
      '04',
      '# access_frequency: 0123456789 (0.000-200.000 hz)',
    ]);
  });

  it('counts what covers a part of a pixel by that part', () => {
    const map = heatmap(moving, { timePixels: 1, addressPixels: 1, timeRange: [0, 2e8], addressRange: [0, 16_384] });
    expect([...map.heat]).toEqual([(200 + 100) / 8]);
  });

  it('leaves blank what no snapshot covers', () => {
    const map = heatmap(record([[0, 4096, 20]]), { timePixels: 1, addressPixels: 2, addressRange: [0, 8192] });
    expect(heatmapText(map).split('\n')[0]).toBe('0 ');
    expect(heatmapRaw(map, { time: false, address: true })).toBe('0\t0\t200\n0\t4096\tNaN\n');
  });

  it('reaches back by the age of a region, but not before the snapshot before', () => {
    const map = heatmap(
      { ...example, snapshots: [{ ...example.snapshots[0], startNs: 9e8, endNs: 1e9 }] },
      { timePixels: 10, addressPixels: 1 },
    );
    expect(map.timeRange).toEqual([0, 1e9]);
    expect([...map.heat].slice(7).every((value) => value > 0)).toBe(true);
    expect(map.heat[6]).toBe(0);
  });

  it('draws the hottest area between large gaps, and the guide names all', () => {
    const gapped = record([
      [0, 4096, 1],
      [2 ** 40, 2 ** 40 + 4096, 20],
    ]);
    expect(heatmap(gapped, { timePixels: 1, addressPixels: 1 }).addressRange).toEqual([2 ** 40, 2 ** 40 + 4096]);
    expect(heatmapGuide(gapped)).toContain(`region\t 1: [${2 ** 40}, ${2 ** 40 + 4096}) (4.000 KiB)`);
  });
});

describe('report wss and nr_regions', () => {
  const sizes = record(
    ...Array.from(
      { length: 4 },
      (_, at) =>
        [
          [0, 4096 * (at + 1), 1],
          [2 ** 30, 2 ** 30 + 4096, 0],
        ] as [number, number, number][],
    ),
  );

  it('sums what was accessed', () => {
    const found = workingSetSizes(sizes, { ...DAMO_DISTRIBUTION, skip: 1 });
    expect(found).toEqual({ values: [8192, 12_288, 16_384], average: 12_288, skipped: 1 });
    expect([0, 50, 100].map((at) => atPercentile(found.values, at))).toEqual([8192, 12_288, 16_384]);
    expect(wssText(sizes, found, [0, 100]).split('\n')[3]).toBe(`  0       8.000 KiB |${'*'.repeat(30).padEnd(59)}|`);
  });

  it('shows a record whole that is shorter than what is to be skipped', () => {
    const found = regionCounts(sizes, DAMO_DISTRIBUTION);
    expect(found).toEqual({ values: [2, 2, 2, 2], average: 2, skipped: 0 });
    expect(regionCountsText(sizes, found, [50])).toBe('# <percentile> <# regions>\n# target_id\t7\n# avr:\t2\n50\t2\n');
  });

  it('puts snapshots together by the most samples of each address', () => {
    const moving = record(
      [
        [0, 4096, 5],
        [4096, 8192, 0],
      ],
      [
        [0, 2048, 0],
        [2048, 8192, 1],
      ],
    );
    expect(workingSetSizes(moving, { ...DAMO_DISTRIBUTION, workTimeNs: 2e8 }).values).toEqual([8192]);
    expect(workingSetSizes(moving, { ...DAMO_DISTRIBUTION, leastSamples: 2, workTimeNs: 2e8 }).values).toEqual([4096]);
  });
});
