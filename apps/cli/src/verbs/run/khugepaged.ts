/** What khugepaged did: time, passes, what it looked at and why it did not collapse, how soon the memory was covered. */
import { formatCount, formatDuration, formatShare, type KhugepagedResult } from '@thplab/scenario';
import type { Palette } from '../../output/palette.js';
import { table } from '../../output/table.js';

export function khugepagedLines(result: KhugepagedResult, colors: Palette): string {
  const { passes, cpuNs, cpuShare, fullScans, rangesScanned, ranges, attempts, pagesCopied, timeToCover } = result;
  if (passes === 0 && rangesScanned === 0 && Object.keys(ranges).length === 0) {
    return `khugepaged\n  did not run\n`;
  }
  const cover = Object.entries({ '50 %': timeToCover.half, '90 %': timeToCover.most, '99 %': timeToCover.nearlyAll });
  const covered = cover.flatMap(([share, ns]) => (ns === null ? [] : [`${share} after ${formatDuration(ns)}`]));
  const rows = [
    [
      'time',
      `${formatDuration(cpuNs)} of a processor (${formatShare(cpuShare, 3)}), ` +
        `${counted(passes, 'pass', 'passes')}, ${counted(fullScans, 'full scan')}`,
    ],
    ['looked at', `${counted(rangesScanned, 'range')}${madviseNote(result)}: ${byResult(ranges, colors)}`],
    ...Object.entries(attempts).map(([size, results]) => [`tried ${size}`, byResult(results, colors)]),
    ...(pagesCopied > 0 ? [['moved', `${counted(pagesCopied, 'page')} into larger folios`]] : []),
    ...(covered.length > 0 ? [['covered', `${covered.join(', ')} of what can be collapsed`]] : []),
  ];
  return `${colors.faint('khugepaged')}\n${table([{ title: '' }, { title: '' }], rows, colors)}`;
}

/** Results count what MADV_COLLAPSE looked at too. */
function madviseNote({ ranges, rangesScanned }: KhugepagedResult): string {
  const looks = Object.values(ranges).reduce((sum, count) => sum + count, 0);
  return looks > rangesScanned ? `, and MADV_COLLAPSE at ${formatCount(looks - rangesScanned)}` : '';
}

/** `32 succeeded, 4 exceed_none_pte` */
export function byResult(counts: Readonly<Record<string, number>>, colors: Palette): string {
  const parts = Object.entries(counts).map(([result, count]) =>
    result === 'succeeded' ? colors.good(`${formatCount(count)} ${result}`) : `${formatCount(count)} ${result}`,
  );
  return parts.length === 0 ? 'none' : parts.join(', ');
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}
