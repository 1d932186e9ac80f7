/**
 * The scan in C, compiled on the spot with the machine's compiler, as the yardstick: a loop over 32-bit entries, and the
 * same planes. Where there is no compiler the row is left out.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BenchRow } from './report.js';

const SOURCE = fileURLToPath(new URL('../native/scan.c', import.meta.url));

/** Rates of the C forms over half-full tables, or undefined without a working `cc`. */
export function nativeScanRates(tables: number, quick: boolean): BenchRow | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'thplab-bench-'));
  try {
    const program = join(folder, 'scan');
    if (spawnSync('cc', ['-O2', '-march=native', '-o', program, SOURCE]).status !== 0) return undefined;
    const run = spawnSync(program, [String(tables), quick ? '100' : '500'], { encoding: 'utf8' });
    if (run.status !== 0) return undefined;
    const [planes, reference] = run.stdout.trim().split(' ').map(Number);
    return {
      what: 'C (cc -O2), half full',
      figures: {
        planes: { value: planes, unit: 'PTE/s' },
        reference: { value: reference, unit: 'PTE/s' },
        ratio: { value: planes / reference, unit: 'x' },
      },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
