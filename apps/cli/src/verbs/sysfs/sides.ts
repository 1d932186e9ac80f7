/** The sides that `thplab sysfs diff` compares: what reads of every file show. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkWrite, damonPath, filesOf, parseBootOptions, SYSFS_ROOT, type SysfsFile } from '@thplab/sysfs-schema';
import type { Context } from '../../context.js';
import { InputError } from '../../errors.js';
import { readInput } from '../../input/read-input.js';
import { mustBeScenario, scenarioOf } from '../../input/scenario-input.js';
import { type Files, filesOfKernel, readText, requireFileAt } from '../../input/sysfs-files.js';

export interface Side {
  readonly name: string;
  /** Absolute path to what a read shows. Counters are there with COUNTER: their numbers are no setting. */
  readonly reads: ReadonlyMap<string, string>;
}

const COUNTER = '(counter)';

export function sideOfDefaults(files: Files, name: string = files.kernel): Side {
  return { name, reads: readsOf(files, (file) => readText(files.settings, file)) };
}

/** A scenario's machine after its boot options and its sysfs section. */
export async function sideOfScenario(context: Context, path: string): Promise<{ side: Side; files: Files }> {
  const input = mustBeScenario(await readInput(context, path), 'sysfs diff');
  const { machine, sysfs } = await scenarioOf(input);
  const geometry = { pageShift: Math.log2(machine.pageSize), pmdOrder: machine.pmdOrder };
  const files = filesOfKernel(machine.kernel, geometry);
  const memoryBytes = machine.nodes.reduce((sum, { size }) => sum + size, 0);
  const { settings } = parseBootOptions(machine.boot, geometry, { memoryBytes });
  for (const { path, value } of sysfs) {
    // DAMON's folders are not there on a fresh machine: nothing to compare them with.
    if (damonPath(path) !== null) continue;
    const file = requireFileAt(files, path);
    const answer = checkWrite(file, value, settings, geometry);
    if (!answer.ok) throw new InputError(`${input.path}: ${answer.message} (${answer.errno})`);
    const { storage } = file;
    if ('cell' in storage) settings[storage.cell] = answer.value;
  }
  const side = { name: input.path, reads: readsOf(files, (file) => readText(settings, file)) };
  return { side, files };
}

/** This machine, as far as its files can be read. */
export function sideOfMachine(sysRoot: string, files: Files): Side {
  const root = join(sysRoot, SYSFS_ROOT.slice('/sys/'.length));
  const read = (file: SysfsFile): string | null => {
    try {
      return readFileSync(join(root, file.path.slice(SYSFS_ROOT.length)), 'utf8').trimEnd();
    } catch {
      return null;
    }
  };
  const side = { name: 'this machine', reads: readsOf(files, read) };
  if (side.reads.size === 0) {
    throw new InputError(`${root} cannot be read; --live needs Linux with transparent huge pages`);
  }
  return side;
}

function readsOf(files: Files, read: (file: SysfsFile) => string | null): Map<string, string> {
  const reads = new Map<string, string>();
  for (const file of filesOf(files.nodes)) {
    const text = read(file);
    if (text !== null) reads.set(file.path, isCounter(file) ? COUNTER : text);
  }
  return reads;
}

function isCounter(file: SysfsFile): boolean {
  return file.storage.kind === 'khugepaged-counter' || file.storage.kind === 'mthp-stat';
}
