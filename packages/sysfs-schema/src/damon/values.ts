/** Reading what is written to DAMON's files, and finding the file of a path. No state. */
import { kstrtobool, sysfsStreq } from '../kstrto.js';
import type { DamonDirDecl, DamonFileDecl } from './node.js';
import { DAMON_ROOT } from './trees.js';

export type DamonWriteResult =
  /** The value as a read shows it. */
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly errno: 'EINVAL' | 'ERANGE' | 'EACCES'; readonly message: string };

type Width = 'ulong' | 'uint' | 'int';

const LIMITS: Readonly<Record<Width, readonly [bigint, bigint]>> = {
  ulong: [0n, 2n ** 64n - 1n],
  uint: [0n, 2n ** 32n - 1n],
  int: [-(2n ** 31n), 2n ** 31n - 1n],
};

/** A 64-bit number has at most 22 octal digits; longer ones overflow without being built. */
const MOST_DIGITS = 24;

/** kstrto* with base 0: decimal, 0x hexadecimal, 0 octal; an optional sign; one newline at the end. */
export function kstrtoBase0(text: string, width: Width): bigint | 'EINVAL' | 'ERANGE' {
  const match = /^([+-]?)(0[xX][0-9a-fA-F]+|[0-9]+)\n?$/.exec(upToNul(text));
  if (match === null) return 'EINVAL';
  const [, sign = '', digits = ''] = match;
  if (sign === '-' && width !== 'int') return 'EINVAL';
  const hex = /^0[xX]/.test(digits);
  const octal = !hex && digits.length > 1 && digits.startsWith('0');
  if (octal && /[89]/.test(digits)) return 'EINVAL';
  const significant = digits.replace(hex ? /^0[xX]0*/ : /^0+/, '');
  if (significant.length > MOST_DIGITS) return 'ERANGE';
  const magnitude = BigInt(
    significant === '' ? '0' : hex ? `0x${significant}` : octal ? `0o${significant}` : significant,
  );
  const value = sign === '-' ? -magnitude : magnitude;
  const [least, most] = LIMITS[width];
  return value < least || value > most ? 'ERANGE' : value;
}

/** Reads what was written to a file by the kernel's grammar for it (DAMON spec 6.1). */
export function parseDamonWrite(file: DamonFileDecl, text: string): DamonWriteResult {
  const { grammar } = file;
  const refuse = (errno: 'EINVAL' | 'ERANGE' | 'EACCES', what: string): DamonWriteResult => ({
    ok: false,
    errno,
    message: `${file.name}: ${what}; it takes ${describeDamonGrammar(file)}`,
  });
  switch (grammar.kind) {
    case 'shown':
      return refuse('EACCES', 'it cannot be written');
    case 'text':
      return { ok: true, value: upToNul(text).replace(/\n$/, '') };
    case 'boolean': {
      const value = kstrtobool(text, true);
      if (value === null) return refuse('EINVAL', `${show(text)} is not a boolean`);
      return { ok: true, value: value ? 'Y' : 'N' };
    }
    case 'choice':
    case 'command': {
      const word = grammar.words.find((one) => sysfsStreq(text, one));
      return word === undefined ? refuse('EINVAL', `${show(text)} is not one of its words`) : { ok: true, value: word };
    }
    default: {
      const value = kstrtoBase0(text, grammar.kind === 'count' ? 'int' : grammar.kind);
      if (typeof value === 'string') {
        return refuse(value, `${show(text)} is ${value === 'EINVAL' ? 'no such number' : 'too big a number'}`);
      }
      const most = grammar.kind === 'count' ? grammar.most : null;
      if (grammar.kind === 'count' && (value < 0n || (most !== null && value > BigInt(most)))) {
        return refuse('EINVAL', `${show(text)} is out of range`);
      }
      return { ok: true, value: value.toString() };
    }
  }
}

/** What a good write looks like, in words. */
export function describeDamonGrammar({ grammar }: DamonFileDecl): string {
  switch (grammar.kind) {
    case 'shown':
      return 'nothing: it is read only';
    case 'text':
      return 'a path';
    case 'boolean':
      return 'a boolean: Y or N, 1 or 0, on or off';
    case 'choice':
    case 'command':
      return `one of ${grammar.words.join(', ')}`;
    case 'count':
      return grammar.most === null ? 'a number of folders, 0 or more' : `a number from 0 to ${grammar.most}`;
    case 'int':
      return 'a number, decimal, 0x hexadecimal or 0 octal';
    default:
      return 'a number of 0 or more, decimal, 0x hexadecimal or 0 octal';
  }
}

/** Absolute form of a path below DAMON's root, or null: it leads elsewhere. */
export function damonPath(path: string): string | null {
  const tidy = path
    .trim()
    .replace(/\/{2,}/g, '/')
    .replace(/(.)\/$/, '$1');
  const absolute = tidy.startsWith('damon/') || tidy === 'damon' ? `/sys/kernel/mm/${tidy}` : tidy;
  return absolute === DAMON_ROOT || absolute.startsWith(`${DAMON_ROOT}/`) ? absolute : null;
}

/** The declaration at an absolute path, whatever numbers it has; null if there is none. */
export function damonDeclAt(tree: DamonDirDecl, path: string): DamonDirDecl | DamonFileDecl | null {
  const parts = path === DAMON_ROOT ? [] : path.slice(DAMON_ROOT.length + 1).split('/');
  let at: DamonDirDecl = tree;
  for (const [index, part] of parts.entries()) {
    const file = index === parts.length - 1 ? at.files.find(({ name }) => name === part) : undefined;
    if (file !== undefined) return file;
    const next: DamonDirDecl | undefined =
      at.list !== null && /^(0|[1-9]\d{0,8}|N)$/.test(part)
        ? at.list.element
        : at.directories.find(({ name }) => name === part);
    if (next === undefined) return null;
    at = next;
  }
  return at;
}

/** One line of a listing: numbers of list folders are `N`. */
export interface DamonTemplate {
  readonly path: string;
  readonly decl: DamonDirDecl | DamonFileDecl;
}

/** Every folder and file that there can be, the root first. */
export function damonTemplates(tree: DamonDirDecl, path: string = DAMON_ROOT): DamonTemplate[] {
  return [
    { path, decl: tree },
    ...tree.files.map((decl) => ({ path: `${path}/${decl.name}`, decl })),
    ...tree.directories.flatMap((decl) => damonTemplates(decl, `${path}/${decl.name}`)),
    ...(tree.list === null ? [] : damonTemplates(tree.list.element, `${path}/N`)),
  ];
}

const SHOWN_CHARACTERS = 40;

function show(text: string): string {
  const line = text.endsWith('\n') ? text.slice(0, -1) : text;
  return JSON.stringify(line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS)}...` : line);
}

function upToNul(text: string): string {
  const nul = text.indexOf('\0');
  return nul === -1 ? text : text.slice(0, nul);
}
