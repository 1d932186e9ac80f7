/** The result of a run on one screen: what an engineer asks first stands first, what did not happen is left out. */
import {
  formatCount,
  formatDuration,
  formatShare,
  formatSize,
  NOT_SCANNED,
  type ProcessResult,
  type ScenarioResult,
  type StallResult,
} from '@thplab/scenario';
import type { Palette } from '../../output/palette.js';
import { type Column, table } from '../../output/table.js';
import { counterLines } from './counters.js';
import { damonLines } from './damon.js';
import { expectationLines } from './expectations.js';
import { hintLines } from './hints.js';
import { khugepagedLines } from './khugepaged.js';
import { tlbLines } from './tlb.js';

const RIGHT = { align: 'right' } as const;
/** Processes, and VMAs, that still fit on a screen. */
const MOST_ROWS = 12;

/** All sections, as text. */
export function runReport(result: ScenarioResult, version: string, colors: Palette): string {
  const sections = [
    headLines(result, version, colors),
    memorySection(result, colors),
    vmaSection(result, colors),
    khugepagedLines(result.khugepaged, colors),
    hintLines(result.hints, colors),
    damonLines(result, colors),
    tlbLines(result, colors),
    stallSection(result, colors),
    eventSection(result, colors),
    counterLines(result, colors),
    expectationLines(result, colors),
  ];
  return sections.filter((section) => section !== '').join('\n');
}

const ENDS = {
  goal: 'its goal was reached',
  time: 'its time was up',
  atMost: 'its time was up, without its goal',
  idle: 'nothing was left to happen, and its goal was not reached',
  stopped: 'stopped',
};

/** What ran: scenario, kernel, seed, version, machine, settings, when and why it ended. */
export function headLines({ header, end, memory }: ScenarioResult, version: string, colors: Palette): string {
  const { name, kernel, seed, pageSize, blockSize, settings } = header;
  const written = Object.entries(settings).map(([path, value]) => `${path.replace(ROOT, '')}=${value}`);
  const lines = [
    `${colors.strong(name)}  ${colors.faint(`kernel ${kernel}, seed ${seed}, thplab ${version}`)}`,
    `${formatSize(memory.total)} of memory, ${formatSize(pageSize)} pages, huge pages of ${formatSize(blockSize)}; ` +
      `${formatDuration(end.atNs)} of virtual time, then ${ENDS[end.reason]}`,
    ...(written.length > 0 ? [`sysfs: ${written.join('  ')}`] : []),
    ...(end.partial ? [colors.bad('PARTIAL: the run was interrupted; all below is as far as it came')] : []),
  ];
  return `${lines.join('\n')}\n`;
}

const ROOT = /^\/sys\/kernel\/mm\/transparent_hugepage\//;

/** A table of its first rows, and how many there are besides. */
function firstOf(text: string, count: number, colors: Palette): string {
  if (count <= MOST_ROWS) return text;
  return `${text}${colors.faint(`  and ${formatCount(count - MOST_ROWS)} more; --json has all`)}\n`;
}

function memorySection(result: ScenarioResult, colors: Palette): string {
  const before = new Map(result.timeline[0]?.processes.map((row) => [row.name, row]));
  const columns: Column[] = [
    { title: 'process' },
    { title: 'RSS', ...RIGHT },
    { title: 'huge', ...RIGHT },
    { title: 'of RSS', ...RIGHT },
    { title: 'extra', ...RIGHT },
    { title: 'swap', ...RIGHT },
    { title: 'folios' },
  ];
  const rows = result.processes.map((process) => {
    const old = before.get(process.name);
    return [
      process.exitNs === null ? process.name : `${process.name} ${colors.faint('(exited)')}`,
      change(old?.rss ?? 0, process.rss),
      change((old?.anonHuge ?? 0) + (old?.fileHuge ?? 0), process.anonHuge + process.fileHuge),
      formatShare(process.coverage.hugeOfResident, 1),
      process.extra === 0 ? '0' : colors.notable(formatSize(process.extra)),
      change(old?.swap ?? 0, process.swap),
      folios(process),
    ];
  });
  return firstOf(table(columns, rows.slice(0, MOST_ROWS), colors), rows.length, colors);
}

/** `64M`, or `32M -> 64M` where it changed. */
function change(before: number, after: number): string {
  return before === after ? formatSize(after) : `${formatSize(before)} -> ${formatSize(after)}`;
}

function folios({ coverage }: ProcessResult): string {
  const parts = Object.entries(coverage.folios).map(([size, count]) => `${formatCount(count)} x ${size}`);
  return parts.join(', ');
}

/** The fate of the PMD ranges of each VMA, where there is more than one story to tell. */
function vmaSection({ processes }: ScenarioResult, colors: Palette): string {
  const rows = processes.flatMap(({ name, vmas }) =>
    vmas.map(({ name: vma, size, hugeOfSize, ineligible, outcomes }) => [
      `${name} ${vma}`,
      formatSize(size),
      formatShare(hugeOfSize, 1),
      fateText(ineligible, outcomes, colors),
    ]),
  );
  const columns: Column[] = [
    { title: 'VMA' },
    { title: 'size', ...RIGHT },
    { title: 'huge', ...RIGHT },
    { title: 'its ranges' },
  ];
  return firstOf(table(columns, rows.slice(0, MOST_ROWS), colors), rows.length, colors);
}

/** What became of the ranges; where khugepaged does not come, why, and what MADV_COLLAPSE did there all the same. */
function fateText(ineligible: string | null, outcomes: Readonly<Record<string, number>>, colors: Palette): string {
  if (ineligible === null) return outcomeTexts(outcomes, colors);
  const why = colors.faint(`not eligible: ${ineligible}`);
  const { [NOT_SCANNED]: _nobodyCame, ...looked } = outcomes;
  return Object.keys(looked).length === 0 ? why : `${outcomeTexts(looked, colors)}; ${why}`;
}

function outcomeTexts(outcomes: Readonly<Record<string, number>>, colors: Palette): string {
  return Object.entries(outcomes)
    .map(
      ([outcome, count]) => `${formatCount(count)} ${outcome.startsWith('collapsed') ? colors.good(outcome) : outcome}`,
    )
    .join(', ');
}

function stallSection({ processes }: ScenarioResult, colors: Palette): string {
  const rows = processes
    .filter(({ faults, mmapLockWaits, worstWriteHoldNs }) => faults.count + mmapLockWaits.count + worstWriteHoldNs > 0)
    .map(({ name, faults, mmapLockWaits, worstWriteHoldNs }) => [
      name,
      formatCount(faults.count),
      ...times(faults),
      formatCount(mmapLockWaits.count),
      mmapLockWaits.count === 0 ? '-' : formatDuration(mmapLockWaits.maxNs),
      worstWriteHoldNs === 0 ? '-' : formatDuration(worstWriteHoldNs),
    ]);
  const columns = ['faults', 'median', 'p99', 'worst fault', 'lock waits', 'worst wait', 'longest write hold'];
  const head = [{ title: 'stalls' }, ...columns.map((title) => ({ title, ...RIGHT }))];
  return firstOf(table(head, rows.slice(0, MOST_ROWS), colors), rows.length, colors);
}

function times({ count, p50Ns, p99Ns, maxNs }: StallResult): readonly string[] {
  return count === 0 ? ['-', '-', '-'] : [p50Ns, p99Ns, maxNs].map((ns) => formatDuration(ns));
}

function eventSection({ events }: ScenarioResult, colors: Palette): string {
  const rows = events.map(({ key, kind, executions, errnos }) => [
    key,
    kind,
    formatCount(executions),
    eventEnds(executions, errnos, colors),
  ]);
  return table([{ title: 'event' }, { title: 'what' }, { title: 'times', ...RIGHT }, { title: 'ended' }], rows, colors);
}

/** How the steps of an event ended; where there were none, why. */
function eventEnds(executions: number, errnos: Readonly<Record<string, number>>, colors: Palette): string {
  if (executions === 0 && Object.keys(errnos).length === 0) return colors.notable('the run ended before');
  const parts = Object.entries(errnos).map(
    ([errno, count]) => `${formatCount(count)} ${errno === 'ok' ? errno : colors.notable(errno)}`,
  );
  return parts.length === 0 ? colors.notable('no such process then') : parts.join(', ');
}
