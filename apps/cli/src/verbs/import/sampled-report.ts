/** What sampled accesses say about huge pages: as text, as data, and what to keep in mind. */
import type { Candidates, HotBlock, PerfSamples } from '@thplab/capture';
import { formatCount } from '@thplab/scenario';
import { table } from '../../output/table.js';
import type { Target } from '../../output/target.js';
import type { Placed } from './addresses.js';
import type { PerfOptions } from './perf-script.js';
import { writeRangeTable } from './range-table.js';

/** All that the report is made of. */
export interface Sampled {
  readonly from: string;
  readonly samples: PerfSamples;
  readonly placed: Placed;
  /** Blocks with samples, and those of them that are huge as far as is known. */
  readonly blocks: readonly HotBlock[];
  readonly selected: readonly HotBlock[];
  readonly candidates: Candidates;
  readonly pageSize: number;
  readonly pmdOrder: number;
}

const BAR = 30;

export async function writeSampled(target: Target, sampled: Sampled, options: PerfOptions): Promise<void> {
  const { accessedDistribution } = await import('@thplab/capture');
  const { placed, selected, candidates, pmdOrder } = sampled;
  const { strong } = target.colors;
  target.write(`${strong(sampled.from)}: ${headText(sampled)}\n\n`);
  const bins = accessedDistribution(selected, pmdOrder);
  const most = Math.max(...bins, 1);
  const rows = bins.map((blocks, bin) => [
    `${bin * 10} to ${bin * 10 + 10} %`,
    formatCount(blocks),
    '#'.repeat(Math.ceil((blocks * BAR) / most)),
  ]);
  const what = placed.huge === null ? 'blocks' : 'huge pages';
  target.write(
    table([{ title: 'accessed part' }, { title: what, align: 'right' }, { title: '' }], rows, target.colors),
  );
  const few =
    candidates.tooFewSamples > 0
      ? `; ${formatCount(candidates.tooFewSamples)} with fewer than ${options.minSamples} samples left out`
      : '';
  target.write(
    `\n${strong('to split')}: ${formatCount(candidates.blocks)} of ${formatCount(selected.length)} ${what} with less than ${options.threshold} % hot, in ${formatCount(candidates.ranges.length)} ranges${few}\n`,
  );
  writeRangeTable(target, candidates, sampled.pageSize, placed.by !== 'blocks');
}

function headText({ placed, samples, blocks }: Sampled): string {
  if (placed.by === 'blocks') return `${formatCount(placed.samples)} blocks that were counted already`;
  const under = placed.event === '' ? '' : ` under ${placed.event}`;
  const others = samples.events.filter(({ event }) => event !== placed.event);
  const also =
    others.length === 0
      ? ''
      : ` (the same accesses under ${others.map(({ event }) => event).join(', ')} are not counted again)`;
  return `${formatCount(placed.samples)} samples${under}${also}, by ${placed.by} address, in ${formatCount(blocks.length)} blocks`;
}

export function sampledDocument(sampled: Sampled, options: PerfOptions, version: string): unknown {
  const { placed, samples, blocks, candidates } = sampled;
  return {
    format: 'thplab/import@1',
    version,
    from: sampled.from,
    pageSize: sampled.pageSize,
    pmdOrder: sampled.pmdOrder,
    event: placed.event,
    by: placed.by,
    samples: placed.samples,
    elsewhere: placed.elsewhere,
    otherProcesses: samples.otherProcesses,
    kernelAddresses: samples.kernelAddresses,
    unknownPhysical: samples.unknownPhysical,
    badLines: samples.badLines,
    hotRule: options.hotRule,
    thresholdPercent: options.threshold,
    blocks: blocks.map((block) => ({
      ...block,
      ...(placed.huge === null ? {} : { huge: placed.huge.has(block.startPage) }),
    })),
    candidates,
  };
}

/** What a reader of the result should know. */
export async function remarks(sampled: Sampled, options: PerfOptions): Promise<string[]> {
  const { samplesToJudge } = await import('@thplab/capture');
  const { placed, samples, candidates, selected, pmdOrder } = sampled;
  const lines: string[] = [];
  const say = (count: number, text: string): void => {
    if (count > 0) lines.push(`${formatCount(count)} ${text}`);
  };
  say(samples.badLines, 'lines are no samples and were passed over');
  say(samples.otherProcesses, 'samples of other processes left out');
  say(samples.kernelAddresses, 'samples at addresses of the kernel left out');
  say(placed.by === 'physical' ? samples.unknownPhysical : 0, 'samples without a physical address left out');
  say(
    placed.elsewhere,
    placed.by === 'blocks'
      ? 'blocks are of memory that the process does not map'
      : 'samples are of memory that the process does not map',
  );
  say(
    candidates.leftOut,
    `ranges beyond --max-filters ${options.maxFilters} were left out, those with the most hot pages`,
  );
  if (placed.by === 'instruction') {
    lines.push(
      'these are addresses of instructions: they say which code is hot, not which data. Print data addresses with "-F +addr"',
    );
  }
  if (samples.processes.length > 1 && options.process === undefined && placed.by === 'virtual') {
    lines.push(
      `${samples.processes.length} processes or threads were taken as one address space; choose with --process`,
    );
  }
  if (placed.huge === null)
    lines.push('which blocks are huge is not known without --snapshot or --pid: all sampled ones were taken');
  const needed = samplesToJudge(2 ** pmdOrder, options.threshold);
  const unsure = selected.filter((block) => block.hotPercent < options.threshold && block.samples < needed).length;
  if (placed.by !== 'blocks' && unsure > 0) {
    lines.push(
      `${formatCount(unsure)} of the blocks below ${options.threshold} % have fewer than ${formatCount(needed)} samples: one that is hot throughout could look as sparse (--min-samples ${needed} leaves them out)`,
    );
  }
  return lines;
}
