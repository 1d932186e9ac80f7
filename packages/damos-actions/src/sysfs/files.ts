/** The files below /sys/kernel/mm/damon/admin of one machine: finding, reading and writing them. What commands do is admin.ts's. */
import {
  DAMON_ROOT,
  type DamonFileDecl,
  type DamonTreeName,
  damonPath,
  damonTree,
  parseDamonWrite,
} from '@thplab/sysfs-schema';
import { isTargetOrder } from '../schemes/target-order.js';
import { DamonFolder, MOST_FOLDERS } from './folder.js';

/** Errors that access to a file can end with. */
export type DamonFileErrno =
  | 'EACCES'
  | 'EBUSY'
  | 'ECANCELED'
  | 'EINVAL'
  | 'EISDIR'
  | 'ENOENT'
  | 'ENOMEM'
  | 'ERANGE'
  | 'ENOSPC';

/** What a write came to. */
export type DamonWriteOutcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly errno: DamonFileErrno; readonly message: string };

/** Where a path leads. */
export interface DamonPlace {
  readonly folder: DamonFolder;
  readonly file: DamonFileDecl;
}

/** A folder or file that is there now. */
export interface DamonEntry {
  readonly kind: 'directory' | 'file';
  /** Absolute. */
  readonly path: string;
  readonly mode: number;
  /** What a read shows, without the newline; '' for folders. */
  readonly read: string;
}

/** See the head of the file. */
export class DamonFiles {
  readonly tree: DamonTreeName;
  readonly root: DamonFolder;
  readonly #pmdOrder: number;

  /** `pmdOrder`: of the machine, the highest order that a `target_order` takes (DAMON spec 4.3). */
  constructor(tree: DamonTreeName, pmdOrder: number) {
    this.tree = tree;
    this.#pmdOrder = pmdOrder;
    this.root = new DamonFolder(damonTree(tree), '');
  }

  /** The kdamonds' list. */
  get kdamonds(): DamonFolder {
    return this.root.folder('kdamonds');
  }

  /** The file at a path, absolute or from the damon folder; or why there is none now. */
  find(path: string): DamonPlace | { readonly errno: 'ENOENT' | 'EISDIR'; readonly message: string } {
    const absolute = damonPath(path);
    const parts = absolute === null || absolute === DAMON_ROOT ? [] : absolute.slice(DAMON_ROOT.length + 1).split('/');
    let folder = this.root;
    for (const [index, part] of parts.entries()) {
      const file = index === parts.length - 1 ? folder.file(part) : undefined;
      if (file !== undefined) return { folder, file };
      const next = folder.child(part);
      if (next === undefined) return { errno: 'ENOENT', message: missing(folder, part) };
      folder = next;
    }
    return { errno: 'EISDIR', message: 'this is a folder; name a file in it' };
  }

  /** What a read shows, newline included; undefined: there is no such file now. */
  read(path: string): string | undefined {
    const place = this.find(path);
    return 'errno' in place ? undefined : `${place.folder.text(place.file.name)}\n`;
  }

  /** Writes a file that is no command. */
  write({ folder, file }: DamonPlace, text: string): DamonWriteOutcome {
    const parsed = parseDamonWrite(file, text);
    if (!parsed.ok) return parsed;
    const { value } = parsed;
    if (file.grammar.kind === 'count' && Number(value) > MOST_FOLDERS) {
      return { ok: false, errno: 'ENOMEM', message: `${file.name}: ${value} folders; at most ${MOST_FOLDERS} here` };
    }
    if (file.name === 'addr_unit' && value === '0') return refused('addr_unit: 0; at least 1');
    if (file.name === 'target_order' && !isTargetOrder(Number(value), this.#pmdOrder)) {
      return refused(`target_order: ${value}; it takes 0, or 2 to ${this.#pmdOrder}, the order of a huge page`);
    }
    folder.set(file.name, value);
    return { ok: true };
  }

  /** Everything that is there now, folders before what is in them. */
  entries(): DamonEntry[] {
    return [...this.root.walk()].flatMap((folder) => {
      const path = folder.path === '' ? DAMON_ROOT : `${DAMON_ROOT}/${folder.path}`;
      return [
        { kind: 'directory' as const, path, mode: folder.decl.mode, read: '' },
        ...folder.decl.files.map(({ name, mode }) => ({
          kind: 'file' as const,
          path: `${path}/${name}`,
          mode,
          read: folder.text(name),
        })),
      ];
    });
  }
}

function refused(message: string): DamonWriteOutcome {
  return { ok: false, errno: 'EINVAL', message };
}

function missing(folder: DamonFolder, part: string): string {
  const where = folder.path === '' ? 'the admin folder' : folder.path;
  const { list } = folder.decl;
  if (list !== null && /^\d+$/.test(part)) {
    const counter = list.counter === null ? 'none yet' : `${list.counter} is ${folder.text(list.counter)}`;
    return `${where} has no folder ${part}: ${counter}`;
  }
  return `${where} has no ${JSON.stringify(part.slice(0, 60))}`;
}
