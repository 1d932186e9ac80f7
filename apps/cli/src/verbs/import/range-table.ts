/** Candidate ranges as a table. */
import type { Candidates } from '@thplab/capture';
import { formatCount, formatSize } from '@thplab/scenario';
import { table } from '../../output/table.js';
import type { Target } from '../../output/target.js';
import { rangeText } from './range-options.js';

/** The table; without samples, their columns are left out. */
export function writeRangeTable(target: Target, { ranges }: Candidates, pageSize: number, sampled: boolean): void {
  const right = 'right' as const;
  const samples = [
    { title: 'hot', align: right },
    { title: 'samples', align: right },
  ];
  const columns = [{ title: 'address' }, { title: 'size', align: right }, ...(sampled ? samples : [])];
  const rows = ranges.map((range) => [
    rangeText(range, pageSize),
    formatSize((range.endPage - range.startPage) * pageSize),
    ...(sampled ? [`${Math.round(range.hotPercent)} %`, formatCount(range.samples)] : []),
  ]);
  target.write(table(columns, rows, target.colors));
}
