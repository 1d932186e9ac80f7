/** How memory and khugepaged went on over time. */
import {
  DURATION_HINT,
  formatCount,
  formatDuration,
  formatSize,
  parseDuration,
  type ScenarioResult,
} from '@thplab/scenario';
import { UsageError } from '../../errors.js';
import type { Palette } from '../../output/palette.js';
import { table } from '../../output/table.js';

/** More rows are thinned out evenly; --json has all of them. */
const MOST_ROWS = 40;

export function timelineTable({ timeline }: ScenarioResult, colors: Palette): string {
  const step = Math.max(1, Math.ceil(timeline.length / MOST_ROWS));
  const shown = timeline.filter((_, i) => i % step === 0 || i === timeline.length - 1);
  const sum = (row: (typeof timeline)[number], of: 'rss' | 'anonHuge' | 'fileHuge' | 'swap'): number =>
    row.processes.reduce((total, process) => total + process[of], 0);
  const rows = shown.map((row) => [
    formatDuration(row.atNs),
    formatSize(sum(row, 'rss')),
    formatSize(sum(row, 'anonHuge') + sum(row, 'fileHuge')),
    formatSize(sum(row, 'swap')),
    formatSize(row.free),
    formatCount(row.pagesCollapsed),
    formatDuration(row.khugepagedCpuNs),
    formatCount(row.processes.length),
  ]);
  const titles = ['time', 'RSS', 'huge', 'swap', 'free', 'pages_collapsed', 'khugepaged', 'processes'];
  return table(
    titles.map((title) => ({ title, align: 'right' })),
    rows,
    colors,
  );
}

/** More rows than this say nothing more, and cost time: what a long run is cut into unless told otherwise. */
const DEFAULT_ROWS = 1000;

/** The step of a time line, ns, from the option's value or the scenario. Errors: UsageError. */
export function sampleOf(
  option: string | true,
  { sample, atMost }: { readonly sample: number | null; readonly atMost: number },
): number {
  if (option === true) return sample ?? Math.max(1e9, Math.ceil(atMost / DEFAULT_ROWS));
  const step = parseDuration(option);
  if (step === null || step === 0) {
    throw new UsageError(`--timeline ${JSON.stringify(option)} is no step; expected ${DURATION_HINT}`);
  }
  if (atMost / step > 1e5)
    throw new UsageError(`--timeline ${option} asks for ${Math.ceil(atMost / step)} rows; at most 100000`);
  return step;
}
