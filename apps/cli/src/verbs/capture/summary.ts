/** What a capture found, as data and as text: sums beside smaps', memory by kind and folio size. */
import type { CaptureResult, Snapshot, TotalsRow } from '@thplab/capture';
import type { Context } from '../../context.js';
import { table } from '../../output/table.js';
import { withTarget } from '../../output/target.js';
import { type MemoryPart, memoryParts } from './memory-parts.js';

export interface CaptureDocument {
  readonly format: 'thplab/capture@1';
  readonly version: string;
  readonly file: string;
  readonly fileBytes: number;
  readonly capturedAt: string;
  readonly process: Snapshot['process'];
  readonly kernel: Pick<Snapshot['kernel'], 'release' | 'machine' | 'pageSize' | 'pmdOrder'>;
  readonly vmas: number;
  readonly pages: number;
  readonly totals: readonly TotalsRow[];
  readonly memory: readonly MemoryPart[];
  readonly missing: readonly string[];
  readonly notes: readonly string[];
  readonly unexposed: readonly string[];
}

export function captureDocument(
  { snapshot, totals }: CaptureResult,
  version: string,
  file: string,
  fileBytes: number,
): CaptureDocument {
  const { capturedAt, process, vmas, pages, missing, notes, unexposed } = snapshot;
  const { release, machine, pageSize, pmdOrder } = snapshot.kernel;
  return {
    format: 'thplab/capture@1',
    version,
    file,
    fileBytes,
    capturedAt,
    process,
    kernel: { release, machine, pageSize, pmdOrder },
    vmas: vmas.length,
    pages: pages.length,
    totals: totals.rows,
    memory: memoryParts(snapshot),
    missing,
    notes,
    unexposed,
  };
}

/** The summary for people: on stdout, or on stderr where stdout has the snapshot. */
export async function writeCaptureSummary(
  context: Context,
  document: CaptureDocument,
  toStderr: boolean,
): Promise<void> {
  const { formatSize, formatCount } = await import('@thplab/scenario');
  const colors = toStderr ? context.errorColors : context.colors;
  const { process, kernel, vmas, pages, file, fileBytes, totals, memory } = document;
  const name = process.name === '' ? '' : ` (${process.name})`;
  const head = [
    `${colors.strong(`process ${process.pid}${name}`)} on Linux ${kernel.release} ${kernel.machine}, ${formatSize(kernel.pageSize)} pages`,
    `${file}: ${formatSize(fileBytes)}B, ${formatCount(vmas)} VMAs, ${formatCount(pages)} entries`,
    '',
  ].join('\n');
  const sums = table(
    [{ title: 'sum' }, { title: 'snapshot', align: 'right' }, { title: 'smaps', align: 'right' }, { title: '' }],
    totals
      .filter(({ snapshotKb, smapsKb }) => snapshotKb > 0 || smapsKb > 0)
      .map(({ field, snapshotKb, smapsKb, difference, withinOnePercent }) => [
        field,
        `${formatCount(snapshotKb)} kB`,
        `${formatCount(smapsKb)} kB`,
        withinOnePercent ? '' : colors.bad(`differs by ${percent(difference)}`),
      ]),
    colors,
  );
  const parts = table(
    [{ title: 'memory' }, { title: 'folios of' }, { title: 'size', align: 'right' }],
    memory.map(({ kind, folioBytes, pmdMapped, bytes }) => [
      kind,
      folioBytes === null ? '' : `${formatSize(folioBytes)}${pmdMapped ? ', PMD-mapped' : ''}`,
      formatSize(bytes),
    ]),
    colors,
  );
  const text = `${head}\n${sums}\n${parts}`;
  if (toStderr) context.io.stderr.write(text);
  else await withTarget(context, undefined, (target) => target.write(text));
}

function percent(share: number): string {
  return Number.isFinite(share) ? `${(share * 100).toFixed(1)} %` : 'all of it';
}
