import { expectedSeen, hotBlocks, PageHeat } from '@thplab/capture';
import { describe, expect, it } from 'vitest';
import { parseScenario } from '../format/index.js';
import { runScenario, type ScenarioRun } from '../run/run-scenario.js';
import type { AccessSample } from './sample-accesses.js';

const START = 0x7f0000000;

/** 8 MiB; what is used, and how it is mapped, as told. */
function text(workload: string, populate = 'order: 9'): string {
  return `
format: thplab/scenario@1
name: sampled
machine: { memory: 64M }
sysfs: { enabled: always }
processes:
  - name: app
    vmas: [{ name: heap, at: 0x7f0000000000, size: 8M, populate: { ${populate} } }]
workload: [${workload}]
run: { for: 1s }
`;
}

function sampled(
  source: string,
  period: number,
  over: { loss?: number } = {},
): { samples: AccessSample[]; run: ScenarioRun } {
  const samples: AccessSample[] = [];
  const run = runScenario(parseScenario(source), {
    samples: { period, jitter: 0.1, loss: over.loss ?? 0, take: (sample) => samples.push(sample) },
  });
  return { samples, run };
}

describe('sampled accesses of a run', () => {
  const uniform = text('{ process: app, pattern: uniform, rate: 100k }');

  it('are one in so many, less what is lost', () => {
    const { samples } = sampled(uniform, 100);
    expect(samples.length).toBeGreaterThan(990);
    expect(samples.length).toBeLessThan(1010);
    const some = sampled(uniform, 100, { loss: 0.25 }).samples.length;
    expect(some).toBeGreaterThan(700);
    expect(some).toBeLessThan(800);
  });

  it('change nothing in the run', () => {
    expect(sampled(uniform, 50).run.result).toEqual(runScenario(parseScenario(uniform)).result);
  });

  it('lie where the page is mapped at that time', () => {
    const { samples } = sampled(uniform, 100);
    for (const { page, frame, offset } of samples) {
      expect(page).toBeGreaterThanOrEqual(START);
      expect(page).toBeLessThan(START + 2048);
      // A huge page: frames follow each other as pages do.
      expect((frame ?? -1) % 512).toBe(page % 512);
      expect(offset % 64).toBe(0);
    }
  });

  it('show the sparse use of huge pages that accessed bits hide', () => {
    const { samples } = sampled(text('{ process: app, pattern: onePerBlock, rate: 100k }'), 100);
    const heat = new PageHeat();
    for (const { page } of samples) heat.add(page);
    const blocks = hotBlocks(heat, 9);
    expect(blocks).toHaveLength(4);
    expect(blocks.map(({ accessed, hotPercent }) => ({ accessed, hotPercent }))).toEqual(
      Array.from({ length: 4 }, () => ({ accessed: 1, hotPercent: 0 })),
    );
  });

  it('few of them show fewer hot pages than there are, as many fewer as the formula says (DAMON spec 5.3)', () => {
    // 2048 pages are used alike: 512 in each of four blocks.
    for (const period of [400, 100, 25]) {
      const heat = new PageHeat();
      for (const { page } of sampled(uniform, period).samples) heat.add(page);
      for (const { samples, accessed } of hotBlocks(heat, 9)) {
        const expected = expectedSeen(512, samples);
        // Some 5 standard deviations of a number of boxes that are hit.
        const deviation = Math.sqrt(expected * (1 - expected / 512)) + 1;
        expect(Math.abs(accessed - expected)).toBeLessThan(5 * deviation);
      }
    }
  });
});
