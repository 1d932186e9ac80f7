/** The raw dump of `perf mem -D report`: a head that names the columns, and one line per sample (DAMON spec 5.3, form 5). */
import { type PerfSample, unitOf } from './perf-line.js';

/** Where the columns of a dump are. */
export interface DumpColumns {
  readonly process: number;
  readonly address: number;
  readonly physical: number | null;
  readonly separator: ',' | null;
}

/** Columns by the head of a dump, or null if the line is another comment. */
export function dumpColumns(line: string): DumpColumns | null {
  const head = line.replace(/^#\s*/, '');
  if (!/^PID\b/i.test(head) || !/\bADDR\b/i.test(head)) return null;
  const names = head.split(',').map((name) => name.trim().toUpperCase());
  const physical = names.findIndex((name) => /^PHYS/.test(name));
  return {
    process: names.indexOf('PID'),
    address: names.indexOf('ADDR'),
    physical: physical < 0 ? null : physical,
    separator: head.includes(',') ? ',' : null,
  };
}

/** One line below the head, or null if its columns hold no numbers. The separator of lines may be another than the head's. */
export function parseDumpLine(line: string, columns: DumpColumns): PerfSample | null {
  const words = line.includes(',') ? line.split(',').map((word) => word.trim()) : line.trim().split(/\s+/);
  const process = words[columns.process] ?? '';
  const address = hexOf(words[columns.address]);
  if (!/^-?[0-9]+$/.test(process) || address === null) return null;
  const physical = columns.physical === null ? null : hexOf(words[columns.physical]);
  if (columns.physical !== null && physical === null) return null;
  return {
    event: '',
    process: Number(process),
    virtual: unitOf(address),
    physical: physical === null ? null : unitOf(physical),
    instruction: null,
  };
}

function hexOf(word: string | undefined): string | null {
  return /^(?:0x)?([0-9a-f]{1,16})$/i.exec(word ?? '')?.[1] ?? null;
}
