/** Gain and cost of each variant, the lines to apply one of them, and what had to be assumed. */
import type { Snapshot } from '@thplab/capture';
import {
  formatCount,
  formatDuration,
  formatShare,
  formatSize,
  type WhatIfResult,
  type WhatIfVariantResult,
} from '@thplab/scenario';
import type { Context } from '../../context.js';
import { EXIT } from '../../exit.js';
import type { OutputOptions } from '../../options.js';
import { jsonDocument, jsonLine } from '../../output/json.js';
import type { Palette } from '../../output/palette.js';
import { type Column, table } from '../../output/table.js';
import { withTarget } from '../../output/target.js';

type Options = OutputOptions & { readonly choose?: number; readonly seed?: number };

/** Memory that huge pages may cost, as a share of RSS, before another variant is chosen. */
const MOST_GROWTH = 0.05;
const RIGHT = { align: 'right' } as const;

export async function writeWhatIf(
  context: Context,
  snapshot: Snapshot,
  result: WhatIfResult,
  options: Options,
): Promise<void> {
  const chosen = options.choose === undefined ? bestRow(result.variants) : options.choose - 1;
  await withTarget(context, options.output, (target) => {
    if (options.json) {
      const seed = options.seed ?? 1;
      target.write(jsonDocument({ ...result, version: context.version, seed, chosen: result.variants[chosen]?.label }));
    } else if (options.ndjson) for (const variant of result.variants) target.write(jsonLine(variant));
    else target.write(whatIfText(context, snapshot, result, chosen, options, target.colors));
  });
  if (result.partial) context.exitCode = EXIT.interrupted;
}

/** Most huge memory among those that cost little; if all cost much, the cheapest. */
export function bestRow(variants: readonly WhatIfVariantResult[]): number {
  const growth = ({ before, after }: WhatIfVariantResult): number => (after.rss - before.rss) / Math.max(1, before.rss);
  const gain = ({ after }: WhatIfVariantResult): number =>
    Object.values(after.bySize).reduce((sum, bytes) => sum + bytes, 0);
  let best = 0;
  variants.forEach((variant, row) => {
    const old = variants[best] as WhatIfVariantResult;
    const [cheap, oldCheap] = [growth(variant) <= MOST_GROWTH, growth(old) <= MOST_GROWTH];
    if (cheap !== oldCheap) best = cheap ? row : best;
    else if (cheap ? gain(variant) > gain(old) : growth(variant) < growth(old)) best = row;
  });
  return best;
}

function whatIfText(
  context: Context,
  snapshot: Snapshot,
  result: WhatIfResult,
  chosen: number,
  options: Options,
  colors: Palette,
): string {
  const { process, variants, release, assumptions, partial, capturedAt } = result;
  const first = variants[0];
  const name = process.name === '' ? '' : ` (${process.name})`;
  const before = first === undefined ? '' : `${formatSize(first.before.rss)} resident, ${memoryText(first.before)}`;
  const head = [
    `${colors.strong(`process ${process.pid}${name}`)}  ${colors.faint(`captured ${capturedAt} on Linux ${release}, seed ${options.seed ?? 1}, thplab ${context.version}`)}`,
    `now: ${before}`,
    ...(partial ? [colors.bad(`PARTIAL: interrupted after ${variants.length} variants`)] : []),
  ];
  const notes = assumptions.map((what) => `  ${colors.faint(`assumed: ${what}`)}\n`).join('');
  return `${head.join('\n')}\n\n${variantTable(variants, chosen, snapshot.kernel.pageSize, colors)}\n${linesOf(variants[chosen], chosen, colors)}\n${notes}${snapshotNotes(snapshot, colors)}`;
}

function variantTable(
  variants: readonly WhatIfVariantResult[],
  chosen: number,
  pageSize: number,
  colors: Palette,
): string {
  const kernels = new Set(variants.map(({ kernel }) => kernel)).size > 1;
  const columns: Column[] = [
    { title: '', ...RIGHT },
    { title: 'variant' },
    ...(kernels ? [{ title: 'kernel' }] : []),
    { title: 'huge', ...RIGHT },
    { title: 'folios' },
    { title: 'extra', ...RIGHT },
    { title: 'copied', ...RIGHT },
    { title: 'khugepaged', ...RIGHT },
    { title: '99 % after', ...RIGHT },
    { title: 'worst stall', ...RIGHT },
    { title: '' },
  ];
  const rows = variants.map((variant, i) => {
    const { label, kernel, after, before, pagesCopied, cpuNs, timeToCover, worstStallNs } = variant;
    const extra = after.rss - before.rss;
    const mark = i === chosen ? colors.good(`>${i + 1}`) : String(i + 1);
    return [
      mark,
      label,
      ...(kernels ? [kernel] : []),
      formatShare(after.rss === 0 ? 0 : after.anonHuge / after.rss, 1),
      folioText(after.folios),
      extra > 0 ? colors.notable(formatSize(extra)) : formatSize(extra),
      formatSize(pagesCopied * pageSize),
      formatDuration(cpuNs),
      timeToCover.nearlyAll === null || pagesCopied === 0 ? '-' : formatDuration(timeToCover.nearlyAll),
      worstStallNs === 0 ? '-' : formatDuration(worstStallNs),
      notesOf(variant),
    ];
  });
  return table(columns, rows, colors);
}

function folioText(folios: Readonly<Record<string, number>>): string {
  const parts = Object.entries(folios).map(([size, count]) => `${formatCount(count)} x ${size}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}

function memoryText({ anonHuge, swap, folios }: WhatIfVariantResult['before']): string {
  return `${formatSize(anonHuge)} of it huge; larger folios: ${folioText(folios)}; ${formatSize(swap)} swapped out`;
}

/** What a reader of the row must know: what failed, and whether it had settled. */
function notesOf({ settled, allocationFailures, collapses, scanNs }: WhatIfVariantResult): string {
  const tried = Object.keys(collapses).length > 0;
  return [
    ...(tried ? [] : ['nothing to collapse']),
    ...(allocationFailures > 0 ? [`${formatCount(allocationFailures)} allocations failed`] : []),
    ...(settled ? [] : [`not settled after ${formatDuration(scanNs)}`]),
  ].join(', ');
}

function linesOf(variant: WhatIfVariantResult | undefined, chosen: number, colors: Palette): string {
  if (variant === undefined) return '';
  const title = `to apply row ${chosen + 1} (${variant.label})`;
  if (variant.shell.length === 0) return `${title}: nothing, the settings are as they are\n`;
  return `${title}, as root; another row: --choose N\n${variant.shell.map((line) => `  ${colors.strong(line)}\n`).join('')}`;
}

function snapshotNotes({ notes }: Snapshot, colors: Palette): string {
  return notes.map((note) => `  ${colors.faint(`capture: ${note}`)}\n`).join('');
}
