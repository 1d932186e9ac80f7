/** How much memory does the arena take for each thing it models? */
import { describeLayout } from '@thplab/arena';
import { machineOf } from '../machines.js';
import type { BenchDefinition, BenchReport, BenchRow } from '../report.js';

const LIMIT = 8;
const TABLES = ['pte', 'directory', 'frame', 'vma', 'mm', 'anonVma', 'avc', 'swap'] as const;

/** See the head of the file. */
export const memoryBench: BenchDefinition = {
  name: 'memory',
  question: 'how many bytes of the arena does each modelled thing take?',
  run(): BenchReport {
    const { m } = machineOf(1, { name: 'one', present: 1 });
    const layout = describeLayout(m.arena.plan);
    const bytes = new Map(layout.tables.map((table) => [table.name as string, table.bytesPerRow]));
    const perRow = (table: string): number => bytes.get(table) ?? Number.NaN;
    const perPte = perRow('pte') / m.ptes;
    const rows: BenchRow[] = [
      { what: 'PTE', figures: { bytes: { value: perPte, unit: 'B' } } },
      ...TABLES.map((table) => ({ what: `row of ${table}`, figures: { bytes: { value: perRow(table), unit: 'B' } } })),
    ];
    return {
      name: this.name,
      question: this.question,
      rows,
      demands: [{ text: `at most ${LIMIT} bytes per PTE (${perPte.toFixed(2)})`, met: perPte <= LIMIT }],
    };
  },
};
