/** The sysfs files and vmstat counters that a scenario's kernel has, looked up by the names users write. */
import {
  DAMON_ROOT,
  type DamonFileDecl,
  type DamonTreeName,
  damonDeclAt,
  damonPath,
  damonTemplates,
  damonTree,
  damonTreeOf,
  describeDamonGrammar,
  describeGrammar,
  isVmstatName,
  isWritable,
  parseDamonWrite,
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

/** The files of the machine's kernel and geometry; `damon`: those of DAMON, if they are another kernel's. */
export function sysfsFilesOf(
  machine: Pick<Machine, 'kernel' | 'pageSize' | 'pmdOrder'>,
  damon: DamonTreeName = damonTreeOf(machine.kernel),
): SysfsFiles {
  const geometry = { pageShift: Math.log2(machine.pageSize), pmdOrder: machine.pmdOrder };
  const files = new Map<string, SysfsFile>();
  for (const node of sysfsTree(machine.kernel, geometry)) if (node.kind === 'file') files.set(node.path, node);
  const relative = [...files.keys()].map((path) => path.slice(SYSFS_ROOT.length + 1));
  const absolute = (path: string): string => damonPath(path) ?? (path.startsWith('/') ? path : `${SYSFS_ROOT}/${path}`);
  const unknown = (path: string, candidates: readonly string[], kind: string): Refused => {
    const message = `kernel ${machine.kernel} has no ${kind} ${JSON.stringify(path)}`;
    return { message, hint: () => suggestFile(path, candidates) };
  };
  return {
    absolute,
    refuseWrite(path, value) {
      const inDamon = damonPath(path);
      if (inDamon !== null) return refuseDamonWrite(damon, inDamon, value);
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
      const inDamon = damonPath(name);
      if (inDamon !== null) {
        const decl = damonFileAt(damon, inDamon);
        return 'message' in decl ? decl : { source: 'sysfs', name: inDamon };
      }
      if (files.has(absolute(name))) return { source: 'sysfs', name: absolute(name) };
      return unknown(name, [...VMSTAT_NAMES, ...relative], name.includes('/') ? 'sysfs file' : 'counter');
    },
  };
}

/** The declaration of a file of DAMON; whether its folders are there shows when the scenario runs. */
function damonFileAt(name: DamonTreeName, path: string): DamonFileDecl | Refused {
  const tree = damonTree(name);
  const decl = damonDeclAt(tree, path);
  if (decl?.kind === 'file') return decl;
  const message =
    decl === null ? `DAMON ${name} has no file ${JSON.stringify(path)}` : `${JSON.stringify(path)} is a folder`;
  return {
    message,
    hint: () => {
      const numbered = path.slice(DAMON_ROOT.length + 1).replaceAll(/(^|\/)\d+(?=\/|$)/g, '$1N');
      const known = damonTemplates(tree).flatMap((one) =>
        one.decl.kind === 'file' ? [one.path.slice(DAMON_ROOT.length + 1)] : [],
      );
      const near = nearest(numbered, known);
      return near === null ? '"thplab sysfs tree damon/admin" lists the files' : `did you mean "damon/admin/${near}"?`;
    },
  };
}

function refuseDamonWrite(tree: DamonTreeName, path: string, value: string): Refused | null {
  const decl = damonFileAt(tree, path);
  if ('message' in decl) return decl;
  const short = JSON.stringify(path.slice('/sys/kernel/mm/'.length));
  if (decl.grammar.kind === 'shown') return { message: `${short} is read only`, hint: 'expect it instead' };
  // A process may be named where the kernel wants its pid.
  if (decl.name === 'pid_target' && /^[A-Za-z_]/.test(value)) return null;
  const written = parseDamonWrite(decl, value);
  if (written.ok) return null;
  const message = `a write of ${JSON.stringify(value.slice(0, 60))} to ${short} fails with ${written.errno}`;
  return { message, hint: `expected ${describeDamonGrammar(decl)}` };
}

function suggestFile(path: string, candidates: readonly string[]): string {
  const short = path.startsWith(`${SYSFS_ROOT}/`) ? path.slice(SYSFS_ROOT.length + 1) : path;
  const near = candidates.find((one) => one.endsWith(`/${short}`)) ?? nearest(short, candidates);
  return near === null ? '"thplab sysfs tree" lists the files' : `did you mean "${near}"?`;
}
