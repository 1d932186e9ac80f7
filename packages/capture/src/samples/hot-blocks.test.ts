import { describe, expect, it } from 'vitest';
import { HOT_FRACTION, HOT_RULE } from '../testing/golden-hot-rule.js';
import { selectCandidates } from './candidates.js';
import { damoArguments, sysfsLines } from './filter-lines.js';
import {
  accessedDistribution,
  blockPicture,
  expectedSeen,
  type HotBlock,
  hotBlocks,
  leastHot,
  samplesToJudge,
} from './hot-blocks.js';
import { PageHeat } from './page-heat.js';

function heat(counts: Readonly<Record<number, number>>): PageHeat {
  const made = new PageHeat();
  for (const [page, samples] of Object.entries(counts)) made.add(Number(page), samples);
  return made;
}

function block(startPage: number, hotPercent: number, samples = 1000): HotBlock {
  return { startPage, samples, peak: 1, accessed: 1, hot: 1, hotPercent };
}

describe('hot pages of a block', () => {
  it('have a tenth of the samples of the most-sampled page', () => {
    expect(hotBlocks(heat({ 512: 100, 513: 10, 514: 9, 1024: 1 }), 9)).toEqual([
      { startPage: 512, samples: 119, peak: 100, accessed: 3, hot: 2, hotPercent: 0 },
      { startPage: 1024, samples: 1, peak: 1, accessed: 1, hot: 1, hotPercent: 0 },
    ]);
  });

  it.each(HOT_RULE)('$row: with $peak samples of the hottest page need $corrected', (row) => {
    expect([leastHot(row.peak, 'corrected'), leastHot(row.peak, 'published')]).toEqual([row.corrected, row.published]);
  });

  it('by the published rule are all of them where the peak is below ten', () => {
    expect(hotBlocks(heat({ 0: 9 }), 9, 'published')[0].hotPercent).toBe(100);
    expect(hotBlocks(heat({ 0: 9 }), 9, 'corrected')[0].hotPercent).toBe(0);
  });

  it.each(HOT_FRACTION)('$row: $hot of 512 are $percent %, split: $split', ({ hot, percent, threshold, split }) => {
    const all = heat(Object.fromEntries(Array.from({ length: hot }, (_, at) => [at, 1])));
    const blocks = hotBlocks(all, 9);
    expect(blocks).toMatchObject([{ hot, hotPercent: percent }]);
    expect(selectCandidates(blocks, 9, { thresholdPercent: threshold }).blocks).toBe(split ? 1 : 0);
  });

  it('are counted in bins of ten per cent of accessed pages', () => {
    const bins = accessedDistribution(
      [
        { ...block(0, 0), accessed: 51 },
        { ...block(0, 0), accessed: 52 },
        { ...block(0, 0), accessed: 512 },
      ],
      9,
    );
    expect(bins).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 0, 1]);
  });

  it('are drawn as 64 characters', () => {
    const counts = new Uint32Array(512);
    [1, 10, 50, 100, 500].forEach((samples, column) => {
      counts[column * 8] = samples;
    });
    expect(blockPicture(counts)).toBe(`1234#${'.'.repeat(59)}`);
  });
});

describe('what few samples can show', () => {
  it('95 % of 512 hot pages need about 1534 samples', () => {
    expect(samplesToJudge(512, 95)).toBeGreaterThan(1530);
    expect(samplesToJudge(512, 95)).toBeLessThan(1540);
    expect(expectedSeen(512, 1534) / 512).toBeCloseTo(0.95, 2);
    expect(expectedSeen(1, 1)).toBe(1);
    expect(expectedSeen(0, 5)).toBe(0);
  });
});

describe('candidates', () => {
  it('are below the threshold, and neighbours are joined', () => {
    const { ranges, blocks } = selectCandidates([block(0, 10), block(512, 29), block(1024, 30), block(2048, 0)], 9, {
      thresholdPercent: 30,
    });
    expect(blocks).toBe(3);
    expect(ranges).toEqual([
      { startPage: 0, endPage: 1024, hotPercent: 19.5, samples: 2000 },
      { startPage: 2048, endPage: 2560, hotPercent: 0, samples: 1000 },
    ]);
  });

  it('are not joined if all would become one', () => {
    const { ranges } = selectCandidates([block(0, 1), block(512, 2), block(1024, 3)], 9, { thresholdPercent: 30 });
    expect(ranges.map(({ startPage }) => startPage)).toEqual([0, 512, 1024]);
  });

  it('are at most 256 ranges: the coldest', () => {
    const many = Array.from({ length: 300 }, (_, at) => block(at * 1024, at % 29));
    const { ranges, leftOut } = selectCandidates(many, 9, { thresholdPercent: 30 });
    expect(ranges).toHaveLength(256);
    expect(leftOut).toBe(44);
    expect(Math.max(...ranges.map(({ hotPercent }) => hotPercent))).toBeLessThan(28);
    expect(ranges.every(({ startPage }, at) => at === 0 || startPage > ranges[at - 1].startPage)).toBe(true);
  });

  it('with fewer samples than asked for are passed over', () => {
    const { ranges, tooFewSamples } = selectCandidates([block(0, 1, 5), block(1024, 1, 50)], 9, {
      thresholdPercent: 30,
      minSamples: 10,
    });
    expect(ranges.map(({ startPage }) => startPage)).toEqual([1024]);
    expect(tooFewSamples).toBe(1);
  });
});

describe('lines for a machine', () => {
  const ranges = [{ startPage: 0x7f0012200, endPage: 0x7f0012400, hotPercent: 3, samples: 9 }];
  const scheme = { pid: 4242, action: 'split', targetOrder: 2, pageSize: 4096 };

  it('set up one scheme with a filter per range, and start it', () => {
    const lines = sysfsLines(ranges, scheme);
    const at = '/sys/kernel/mm/damon/admin/kdamonds/0';
    expect(lines).toContain(`echo split > ${at}/contexts/0/schemes/0/action`);
    expect(lines).toContain(`echo 2 > ${at}/contexts/0/schemes/0/target_order`);
    expect(lines).toContain(`echo 1 > ${at}/contexts/0/schemes/0/filters/nr_filters`);
    expect(lines).toContain(`echo ${0x7f0012200000} > ${at}/contexts/0/schemes/0/filters/0/addr_start`);
    expect(lines).toContain(`echo ${0x7f0012400000} > ${at}/contexts/0/schemes/0/filters/0/addr_end`);
    expect(lines.at(-1)).toBe(`echo on > ${at}/state`);
  });

  it('for damo leave the action split out, which it refuses', () => {
    expect(damoArguments(ranges, scheme)).toEqual([
      '--ops vaddr',
      '--target_pid 4242',
      '--damos_action stat',
      `--damos_filter allow addr ${0x7f0012200000} ${0x7f0012400000}`,
    ]);
    expect(damoArguments(ranges, { ...scheme, action: 'pageout' })).toContain('--damos_action pageout');
  });
});
