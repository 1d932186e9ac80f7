/** How fast is the scan of a page table: bit planes against the plain loop, and against the same in C. */
import {
  createCollapseContext,
  orderRange,
  readPtesSettings,
  scanEntryByEntry,
  scanPlanes,
  TableScan,
} from '@thplab/mthp-collapse';
import { machineOf, type TableShape } from '../machines.js';
import { type Contender, measureRates } from '../measure.js';
import { nativeScanRates } from '../native.js';
import type { BenchDefinition, BenchReport, BenchRow } from '../report.js';

const SHAPES: readonly TableShape[] = [
  { name: 'full', present: 1 },
  { name: 'half full, at random', present: 0.5 },
  { name: '1 of 16, at random', present: 1 / 16 },
  { name: 'full but for 32 swapped out', present: 1, swapped: 32 },
  { name: 'full, slot 300 locked', present: 1, lockedSlot: 300 },
];
const FACTOR = 10;

/** See the head of the file. */
export const scanBench: BenchDefinition = {
  name: 'scan',
  question: 'how many page-table entries per second does collapse_scan_pmd look at?',
  run({ quick }): BenchReport {
    const tables = quick ? 512 : 4096;
    const rows = SHAPES.map((shape) => scanRow(shape, tables, quick));
    const native = nativeScanRates(tables, quick);
    const factors = rows.map((row) => row.figures.ratio.value);
    return {
      name: this.name,
      question: this.question,
      rows: native === undefined ? rows : [...rows, native],
      demands: [
        {
          text: `planes at least ${FACTOR} times the plain loop (least: ${Math.min(...factors).toFixed(1)})`,
          met: Math.min(...factors) >= FACTOR,
        },
      ],
    };
  },
};

function scanRow(shape: TableShape, tables: number, quick: boolean): BenchRow {
  const { m, vma, tables: ids } = machineOf(tables, shape);
  const ctx = createCollapseContext({ machine: m });
  const scan = new TableScan(ctx, true);
  scan.allow(ctx, vma, orderRange(2, m.pmdOrder), readPtesSettings(m));
  const over = (form: typeof scanPlanes): (() => number) => {
    return () => {
      let looked = 0;
      for (const table of ids) {
        scan.reset();
        form(m, table, scan);
        looked += scan.scanned;
      }
      return looked;
    };
  };
  const contenders: Contender[] = [
    { name: 'planes', run: over(scanPlanes) },
    { name: 'reference', run: over(scanEntryByEntry) },
  ];
  const rates = measureRates(contenders, quick ? { rounds: 3, spanMs: 40 } : {});
  return {
    what: shape.name,
    figures: {
      planes: { value: rates.planes, unit: 'PTE/s' },
      reference: { value: rates.reference, unit: 'PTE/s' },
      ratio: { value: rates.planes / rates.reference, unit: 'x' },
    },
  };
}
