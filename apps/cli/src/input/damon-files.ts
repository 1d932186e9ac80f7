/** DAMON's files as users name them: absolute, from the damon folder, or by the name of a kdamond or scheme of the scenario. */
import type { DamonFiles } from '@thplab/scenario';
import {
  DAMON_ROOT,
  type DamonDirDecl,
  type DamonFileDecl,
  damonDeclAt,
  damonPath,
  damonTemplates,
  damonTree,
  describeDamonGrammar,
  parseDamonWrite,
} from '@thplab/sysfs-schema';
import { UsageError } from '../errors.js';
import { nearestName } from './nearest.js';
import type { Files } from './sysfs-files.js';

/** What a path leads to. */
export interface DamonTarget {
  /** Absolute. */
  readonly path: string;
  readonly decl: DamonFileDecl | DamonDirDecl;
}

/** Absolute path of one of DAMON's files or folders; null: the path leads elsewhere. `damon/grow/quotas/bytes` is one by name. */
export function damonTarget(files: Files, path: string): string | null {
  const [, name = '', rest = ''] = /^damon\/([^/]+)\/?(.*)$/.exec(path) ?? [];
  const folder = files.damonNames.get(name);
  if (folder !== undefined) return rest === '' ? `${DAMON_ROOT}/${folder}` : `${DAMON_ROOT}/${folder}/${rest}`;
  if (path === 'damon' || path === '/sys/kernel/mm/damon') return DAMON_ROOT;
  return damonPath(path);
}

/** The declaration at such a path. Errors: UsageError with the nearest one. */
export function requireDamon(files: Files, path: string, absolute: string): DamonTarget {
  const tree = damonTree(files.damon);
  const decl = damonDeclAt(tree, absolute);
  if (decl !== null) return { path: absolute, decl };
  const wanted = absolute.slice(DAMON_ROOT.length + 1).replaceAll(/(^|\/)\d+(?=\/|$)/g, '$1N');
  const known = damonTemplates(tree).map((one) => one.path.slice(DAMON_ROOT.length + 1));
  const near = nearestName(wanted, known);
  const hint = near === null ? '"thplab sysfs tree damon" lists the files' : `did you mean damon/admin/${near}?`;
  throw new UsageError(`DAMON ${files.damon} has no file ${JSON.stringify(path)}; ${hint}`);
}

/** The file at a path. Errors: UsageError. */
export function requireDamonFile(files: Files, path: string, absolute: string): DamonFileDecl {
  const { decl } = requireDamon(files, path, absolute);
  if (decl.kind === 'file') return decl;
  throw new UsageError(`${path} is a folder; name a file in it`);
}

/** Refuses a value that the file does not take. Errors: UsageError. */
export function checkDamonSetting(files: Files, path: string, absolute: string, value: string): void {
  const decl = requireDamonFile(files, path, absolute);
  if (decl.name === 'pid_target' && /^[A-Za-z_]/.test(value)) return;
  const answer = parseDamonWrite(decl, value);
  if (!answer.ok) throw new UsageError(`${answer.message} (${answer.errno})`);
}

/** DAMON's files of a fresh machine, for writes one after the other. Commands are carried out by a run only. */
export class FreshDamon {
  readonly #files: DamonFiles;

  constructor(files: DamonFiles) {
    this.#files = files;
  }

  /** Of a kernel. */
  static async of({ damon, geometry }: Files): Promise<FreshDamon> {
    const scenario = await import('@thplab/scenario');
    return new FreshDamon(new scenario.DamonFiles(damon, geometry.pmdOrder));
  }

  /** What the kernel answers, and what a read then shows. */
  write(
    absolute: string,
    value: string,
  ): { readonly errno: string | null; readonly message: string; readonly read: string } {
    const place = this.#files.find(absolute);
    if ('errno' in place) return { errno: place.errno, message: place.message, read: '' };
    const shown = (): string => place.folder.text(place.file.name);
    const parsed = parseDamonWrite(place.file, `${value}\n`);
    if (place.file.grammar.kind === 'command' && parsed.ok) {
      return { errno: null, message: 'a command: "thplab run" carries it out', read: shown() };
    }
    const outcome = this.#files.write(place, `${value}\n`);
    if (outcome.ok) return { errno: null, message: '', read: shown() };
    return { errno: outcome.errno, message: outcome.message.replace(`${place.file.name}: `, ''), read: shown() };
  }
}

/** A row of a listing. */
export interface DamonRow {
  readonly path: string;
  readonly kind: 'directory' | 'file';
  readonly mode: number;
  /** What a read shows in a fresh folder. */
  readonly read: string;
  readonly takes: string;
  readonly unit: string | null;
  readonly doc: string;
}

/** What there can be at and below a path; numbers of folders are N. */
export function damonRows(files: Files, absolute: string, settingsOnly: boolean): readonly DamonRow[] {
  const root = absolute.replaceAll(/\/\d+(?=\/|$)/g, '/N');
  return damonTemplates(damonTree(files.damon))
    .filter(({ path }) => path === root || path.startsWith(`${root}/`))
    .filter(({ decl }) => !settingsOnly || (decl.kind === 'file' && decl.grammar.kind !== 'shown'))
    .map(({ path, decl }) => ({
      path,
      kind: decl.kind,
      mode: decl.mode,
      read: decl.kind === 'file' ? decl.default.replaceAll('\n', ' ') : '',
      takes: decl.kind === 'file' ? describeDamonGrammar(decl) : '',
      unit: decl.kind === 'file' ? decl.unit : null,
      doc: decl.kind === 'file' ? decl.doc : '',
    }));
}
