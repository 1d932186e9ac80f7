/**
 * One folder of DAMON's sysfs with the values of its files: the state behind the declarations of `@thplab/sysfs-schema`.
 * Values are texts as a read shows them; numbers may be as large as 2^64 - 1.
 */
import type { DamonDirDecl, DamonFileDecl } from '@thplab/sysfs-schema';

/** Above this number of folders in one list a write is taken for a mistake. */
export const MOST_FOLDERS = 65_536;

/** See the head of the file. */
export class DamonFolder {
  readonly decl: DamonDirDecl;
  /** Below DAMON's root, without a slash at the end; '' for the root. */
  readonly path: string;
  readonly #values: Map<string, string>;
  readonly #folders: ReadonlyMap<string, DamonFolder>;
  readonly #elements = new Map<number, DamonFolder>();

  constructor(decl: DamonDirDecl, path: string) {
    this.decl = decl;
    this.path = path;
    this.#values = new Map(decl.files.map((file) => [file.name, file.default]));
    const under = path === '' ? '' : `${path}/`;
    this.#folders = new Map(decl.directories.map((dir) => [dir.name, new DamonFolder(dir, `${under}${dir.name}`)]));
  }

  /** The kernel has such a file here. */
  has(file: string): boolean {
    return this.#values.has(file);
  }

  file(name: string): DamonFileDecl | undefined {
    return this.decl.files.find((file) => file.name === name);
  }

  /** What a read shows; for a file that this kernel does not have, `otherwise`. */
  text(file: string, otherwise = ''): string {
    return this.#values.get(file) ?? otherwise;
  }

  /** The same as a number; above 2^53 it is rounded. */
  number(file: string, otherwise = 0): number {
    const text = this.#values.get(file);
    return text === undefined ? otherwise : Number(text);
  }

  /** A file that reads Y. */
  flag(file: string): boolean {
    return this.#values.get(file) === 'Y';
  }

  /** Sets what a read shows; a counter makes and removes folders. A file that this kernel does not have is left alone. */
  set(file: string, value: string | number): void {
    if (!this.has(file)) return;
    this.#values.set(file, String(value));
    if (this.decl.list?.counter === file) this.#resize(Number(value));
  }

  /** A fixed folder. Errors: RangeError. */
  folder(name: string): DamonFolder {
    const found = this.#folders.get(name);
    if (found === undefined) throw new RangeError(`${this.path} has no folder ${name}`);
    return found;
  }

  hasFolder(name: string): boolean {
    return this.#folders.has(name);
  }

  /** Numbered folders by their numbers. */
  numbered(): readonly DamonFolder[] {
    return [...this.#elements].sort(([a], [b]) => a - b).map(([, folder]) => folder);
  }

  /** Makes one numbered folder. */
  addNumbered(number: number): DamonFolder {
    if (this.decl.list === null) throw new RangeError(`${this.path} has no numbered folders`);
    const folder = new DamonFolder(this.decl.list.element, `${this.path}/${number}`);
    this.#elements.set(number, folder);
    return folder;
  }

  /** Takes all numbered folders away. */
  clearNumbered(): void {
    this.#elements.clear();
  }

  /** The folder one step down that a part of a path names. */
  child(part: string): DamonFolder | undefined {
    if (/^\d{1,9}$/.test(part)) return this.#elements.get(Number(part));
    return this.#folders.get(part);
  }

  /** It and all below, in the order of a listing. */
  *walk(): Generator<DamonFolder> {
    yield this;
    for (const folder of this.#folders.values()) yield* folder.walk();
    for (const folder of this.numbered()) yield* folder.walk();
  }

  /** As the kernel does: all folders are made anew, with the defaults. */
  #resize(count: number): void {
    this.#elements.clear();
    for (let number = 0; number < count; number++) this.addNumbered(number);
  }
}
