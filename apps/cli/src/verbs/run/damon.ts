/** The sections about DAMON: what each kdamond saw, what its schemes did. */
import {
  type DamonResult,
  formatCount,
  formatDuration,
  formatShare,
  formatSize,
  type ScenarioResult,
} from '@thplab/scenario';
import type { Palette } from '../../output/palette.js';
import { type Column, table } from '../../output/table.js';

const RIGHT = { align: 'right' } as const;

/** Empty without kdamonds. */
export function damonLines({ damon, pingPong }: Pick<ScenarioResult, 'damon' | 'pingPong'>, colors: Palette): string {
  if (damon.length === 0) return '';
  const warnings = damon.flatMap(({ name, warnings }) =>
    warnings.map((text) => `${colors.notable(`${name}: ${text}`)}\n`),
  );
  return [kdamondTable(damon, colors), schemeTable(damon, colors), pingPongLine(pingPong), warnings.join('')]
    .filter((part) => part !== '')
    .join('\n');
}

function kdamondTable(damon: readonly DamonResult[], colors: Palette): string {
  const columns: Column[] = [
    { title: 'kdamond' },
    { title: 'of' },
    { title: 'monitored', ...RIGHT },
    { title: 'regions', ...RIGHT },
    { title: 'accessed', ...RIGHT },
    { title: 'by half the samples', ...RIGHT },
    { title: 'sampling', ...RIGHT },
    { title: 'samples', ...RIGHT },
    { title: 'of a CPU', ...RIGHT },
  ];
  const rows = damon.flatMap((one) => {
    const name = one.state === 'on' ? one.name : `${one.name} ${colors.faint(`(${one.state})`)}`;
    const { intervals } = one;
    const us = (value: number): string => formatDuration(value * 1000);
    const sampling = intervals === null ? '-' : `${us(intervals.sampleUs)} / ${us(intervals.aggrUs)}`;
    const common = [sampling, formatCount(one.samples), formatShare(one.cpuShare, 2)];
    if (one.targets.length === 0) return [[name, one.operations, '-', '-', '-', '-', ...common]];
    return one.targets.map(({ process, monitored, regions, accessed, hot }, index) => [
      index === 0 ? name : '',
      process === null ? 'physical memory' : process,
      formatSize(monitored),
      formatCount(regions.length),
      formatSize(accessed),
      formatSize(hot),
      ...(index === 0 ? common : ['', '', '']),
    ]);
  });
  return table(columns, rows, colors);
}

function schemeTable(damon: readonly DamonResult[], colors: Palette): string {
  const columns: Column[] = [
    { title: 'scheme' },
    { title: 'action' },
    { title: 'tried', ...RIGHT },
    { title: 'bytes', ...RIGHT },
    { title: 'applied', ...RIGHT },
    { title: 'bytes', ...RIGHT },
    { title: 'filters passed', ...RIGHT },
    { title: 'quota', ...RIGHT },
    { title: 'exceeded', ...RIGHT },
    { title: 'time', ...RIGHT },
  ];
  const several = damon.filter(({ schemes }) => schemes.length > 0).length > 1;
  const rows = damon.flatMap(({ name, schemes }) =>
    schemes.map((one) => [
      several ? `${name}.${one.name}` : one.name,
      one.action,
      formatCount(one.nrTried),
      formatSize(one.szTried),
      formatCount(one.nrApplied),
      formatSize(one.szApplied),
      formatSize(one.szOpsFilterPassed),
      one.effectiveBytes === null ? '-' : formatSize(one.effectiveBytes),
      formatCount(one.qtExceeds),
      formatDuration(one.spentNs),
    ]),
  );
  return rows.length === 0 ? '' : table(columns, rows, colors);
}

/** What was split, and what of it was built again. */
function pingPongLine(sums: ScenarioResult['pingPong']): string {
  if (sums === null) return '';
  const { design, splits, failures, recollapses, recollapsesSoon, withinNs } = sums;
  const failed = failures === 0 ? '' : `, ${formatCount(failures)} could not be`;
  const soon = recollapses === 0 ? '' : `, ${formatCount(recollapsesSoon)} within ${formatDuration(withinNs)}`;
  const against = design === 'none' ? '' : `; design ${design}`;
  return `split  ${formatCount(splits)} folios${failed}; ${formatCount(recollapses)} were huge again${soon}${against}\n`;
}
