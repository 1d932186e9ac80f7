/** The sysfs files and vmstat counters that a scenario's kernel has, looked up by the names users write. */
import {
  describeGrammar,
  isVmstatName,
  isWritable,
  parseWrite,
  SYSFS_ROOT,
  type SysfsFile,
  sysfsTree,
  VMSTAT_NAMES,
} from '@thplab/sysfs-schema';
import type { Hint } from './context.js';
import { nearest } from './did-you-mean.js';
import type { Machine } from './scenario.js';

export interface Refused {
  readonly message: string;
  readonly hint: Hint;
}

export interface SysfsFiles {
  /** Absolute path of a path as users write it. */
  absolute(path: string): string;
  /** Why the file cannot be written with that value; null if it can. */
  refuseWrite(path: string, value: string): Refused | null;
  /** Source and full name of a counter, or why there is none. */
  counter(name: string): { readonly source: 'vmstat' | 'sysfs'; readonly name: string } | Refused;
}

/** The files of the machine's kernel and geometry. */
export function sysfsFilesOf(machine: Pick<Machine, 'kernel' | 'pageSize' | 'pmdOrder'>): SysfsFiles {
  const geometry = { pageShift: Math.log2(machine.pageSize), pmdOrder: machine.pmdOrder };
  const files = new Map<string, SysfsFile>();
  for (const node of sysfsTree(machine.kernel, geometry)) if (node.kind === 'file') files.set(node.path, node);
  const relative = [...files.keys()].map((path) => path.slice(SYSFS_ROOT.length + 1));
  const absolute = (path: string): string => (path.startsWith('/') ? path : `${SYSFS_ROOT}/${path}`);
  const unknown = (path: string, candidates: readonly string[], kind: string): Refused => {
    const message = `kernel ${machine.kernel} has no ${kind} ${JSON.stringify(path)}`;
    return { message, hint: () => suggestFile(path, candidates) };
  };
  return {
    absolute,
    refuseWrite(path, value) {
      const file = files.get(absolute(path));
      if (file === undefined) return unknown(path, relative, 'sysfs file');
      if (!isWritable(file)) return { message: `${JSON.stringify(path)} is read only`, hint: 'expect it instead' };
      const written = parseWrite(file, value);
      if (written.ok) return null;
      const message = `a write of ${JSON.stringify(value.slice(0, 60))} to ${JSON.stringify(path)} fails with ${written.errno}`;
      return { message, hint: `expected ${describeGrammar(file)}` };
    },
    counter(name) {
      if (isVmstatName(name)) return { source: 'vmstat', name };
      if (files.has(absolute(name))) return { source: 'sysfs', name: absolute(name) };
      return unknown(name, [...VMSTAT_NAMES, ...relative], name.includes('/') ? 'sysfs file' : 'counter');
    },
  };
}

function suggestFile(path: string, candidates: readonly string[]): string {
  const short = path.startsWith(`${SYSFS_ROOT}/`) ? path.slice(SYSFS_ROOT.length + 1) : path;
  const near = candidates.find((one) => one.endsWith(`/${short}`)) ?? nearest(short, candidates);
  return near === null ? '"thplab sysfs tree" lists the files' : `did you mean "${near}"?`;
}
