/** One page table: its entries as they were found and as they are, the windows in the order tried, and the locks held at each step. */
import {
  type ExplainLook,
  type ExplainStep,
  type ExplainTable,
  formatDuration,
  formatSize,
  type TableView,
} from '@thplab/scenario';
import type { Palette } from '../../output/palette.js';
import { table } from '../../output/table.js';
import { tablePicture } from './picture.js';

/** The detail as text. */
export function tableDetail(
  detail: ExplainTable,
  { pageSize }: { readonly pageSize: number },
  colors: Palette,
): string {
  const sizeOf = (order: number): string => formatSize(pageSize * 2 ** order);
  const view = (what: string, { pmd, slots }: TableView): string =>
    `${what}; the PMD entry ${PMD_TEXTS[pmd]}\n${tablePicture(slots, sizeOf, colors)}\n`;
  const found = detail.looks.at(-1)?.before;
  const unchanged = found !== undefined && JSON.stringify(found) === JSON.stringify(detail.view);
  const end = unchanged ? 'At the end it is as it was found last\n' : view('At the end', detail.view);
  const groups = groupLooks(detail.looks);
  const looks = groups.map(({ look, times, lastNs, number }) => {
    const count = times === 1 ? `Look ${number}` : `Looks ${number} to ${number + times - 1}, all alike`;
    const when =
      times === 1
        ? `at ${formatDuration(look.atNs)}`
        : `from ${formatDuration(look.atNs)} to ${formatDuration(lastNs)}`;
    const title = colors.strong(`${count}, ${when}`);
    const before =
      look.before === null ? `${title}: there was no table to scan\n` : view(`${title}: as it was found`, look.before);
    return `${before}${stepTable(look.steps, pageSize, colors)}\n`;
  });
  if (looks.length === 0) return `${end}  khugepaged never looked at it\n`;
  return `${looks.join('')}${end}`;
}

const PMD_TEXTS: Readonly<Record<TableView['pmd'], string>> = {
  none: 'is empty',
  table: 'points to a table',
  huge: 'maps one huge page',
  other: 'is a migration or poison entry',
};

interface LookGroup {
  readonly look: ExplainLook;
  /** Number of the first, from 1. */
  readonly number: number;
  times: number;
  lastNs: number;
}

/** Looks that follow each other and are alike but for their time. */
function groupLooks(looks: readonly ExplainLook[]): readonly LookGroup[] {
  const groups: (LookGroup & { readonly key: string })[] = [];
  looks.forEach((look, i) => {
    const steps = look.steps.map((step) => (step.kind === 'lock' ? { ...step, atNs: 0 } : step));
    const key = JSON.stringify([look.before, steps]);
    const last = groups.at(-1);
    if (last?.key === key) {
      last.times++;
      last.lastNs = look.atNs;
    } else groups.push({ look, number: i + 1, times: 1, lastNs: look.atNs, key });
  });
  return groups;
}

/** The steps, each with the time since the first lock operation and the locks that are held after it. */
function stepTable(steps: readonly ExplainStep[], pageSize: number, colors: Palette): string {
  const held = heldBefore(steps);
  let firstNs: number | null = null;
  const rows = steps.map((step) => {
    let time = '';
    if (step.kind === 'lock') {
      firstNs ??= step.atNs;
      time = `+${formatDuration(step.atNs - firstNs)}`;
      if (step.taken) held.set(step.lock, step.mode);
      else held.delete(step.lock);
    }
    const locks = [...held].map(([lock, mode]) => `${lock} ${mode}`).join(', ');
    return [colors.faint(time), ...stepCells(step, pageSize, colors), colors.faint(locks)];
  });
  const columns = [{ title: 'time', align: 'right' as const }, { title: 'step' }, { title: '' }, { title: 'result' }];
  return table([...columns, { title: 'locks held' }], rows, colors);
}

/** Locks that are given back without having been taken in these steps: they were held before. */
function heldBefore(steps: readonly ExplainStep[]): Map<string, string> {
  const held = new Map<string, string>();
  const seen = new Set<string>();
  for (const step of steps) {
    if (step.kind !== 'lock' || seen.has(step.lock)) continue;
    seen.add(step.lock);
    if (!step.taken) held.set(step.lock, step.mode);
  }
  return held;
}

function stepCells(step: ExplainStep, pageSize: number, colors: Palette): readonly [string, string, string] {
  switch (step.kind) {
    case 'scan': {
      const { scanned, none, unmapped, shared, referenced, result } = step;
      const counts = `${none} empty, ${unmapped} swapped out, ${shared} shared, ${referenced} referenced`;
      return ['scan', `${scanned} entries: ${counts}`, resultText(result, colors)];
    }
    case 'skip':
      return ['window', windowText(step, pageSize), `not tried: ${step.occupied} occupied, ${step.required} needed`];
    case 'attempt':
      return ['window', windowText(step, pageSize), resultText(step.result, colors)];
    case 'lock':
      return [step.taken ? 'lock' : 'unlock', `${step.lock} ${step.mode}`, ''];
    case 'done':
      return ['done', '', resultText(step.result, colors)];
  }
}

/** `2M  entries 0-511` */
function windowText({ slot, size }: { readonly slot: number; readonly size: string }, pageSize: number): string {
  const pages = bytesOf(size) / pageSize;
  return `${size.padEnd(4)} entries ${slot}-${slot + pages - 1}`;
}

/** Sizes here are powers of two as formatSize prints them: `64K`, `2M`. */
function bytesOf(size: string): number {
  return Number.parseInt(size, 10) * 2 ** (10 * ('KMGT'.indexOf(size.at(-1) ?? '') + 1));
}

function resultText(result: string, colors: Palette): string {
  return result === 'succeeded' ? colors.good(result) : colors.notable(result);
}
