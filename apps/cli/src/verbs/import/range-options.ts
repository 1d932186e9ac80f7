/** Options about the ranges that come out of an import, and how they are written. */
import type { CandidateRange, SchemeForRanges } from '@thplab/capture';
import { type Command, Option } from 'commander';
import { outputOptions, pageSizeOption, wholeNumber } from '../../options.js';
import type { Target } from '../../output/target.js';

export interface RangeOptions {
  readonly as: 'table' | 'sysfs' | 'damo';
  readonly action: string;
  readonly order: number;
  readonly maxFilters: number;
  readonly pageSize: string;
  readonly json?: boolean;
  readonly output?: string;
  readonly quiet?: boolean;
}

/** Actions that make sense for ranges of huge pages. */
const ACTIONS = ['split', 'nohugepage', 'pageout', 'cold', 'stat'];

export function rangeOptions(command: Command): Command {
  command
    .addOption(
      new Option('--as <form>', 'a table, lines for a root shell, or arguments of damo')
        .choices(['table', 'sysfs', 'damo'])
        .default('table'),
    )
    .addOption(new Option('--action <name>', 'what the lines do to the ranges').choices(ACTIONS).default('split'))
    .option('--order <n>', 'target_order of a split', wholeNumber, 2)
    .option('--max-filters <n>', 'most ranges; the coldest are kept', wholeNumber, 256);
  pageSizeOption(command);
  return outputOptions(command, null).option('-q, --quiet', 'no progress and no remarks');
}

/** Writes ranges as lines for a machine. Only for `--as sysfs` and `--as damo`. */
export async function writeLines(
  target: Target,
  ranges: readonly CandidateRange[],
  scheme: SchemeForRanges,
  as: 'sysfs' | 'damo',
): Promise<void> {
  const { damoArguments, sysfsLines } = await import('@thplab/capture');
  for (const line of as === 'sysfs' ? sysfsLines(ranges, scheme) : damoArguments(ranges, scheme))
    target.write(`${line}\n`);
}

/** An address range in bytes, as hexadecimal text. */
export function rangeText({ startPage, endPage }: CandidateRange, pageSize: number): string {
  return `0x${(startPage * pageSize).toString(16)}-0x${(endPage * pageSize).toString(16)}`;
}
