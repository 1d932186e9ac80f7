/**
 * From zod's issues to problems with a place, a plain sentence and a hint.
 *
 * A union reports what each of its forms missed. The form that the author meant is the one whose outer type fits the value:
 * its issues are reported in place of the union's own hint.
 */
import type { z } from 'zod';
import { suggest } from './did-you-mean.js';
import { formatKey, type KeyPath, type Problem } from './problems.js';
import { KNOWN_KEYS } from './schema-atoms.js';
import type { SourceTree } from './yaml-tree.js';

type Issue = z.core.$ZodIssue;

interface Finding {
  readonly path: KeyPath;
  readonly which: 'key' | 'value';
  readonly message: string;
  readonly hint: string;
}

/** Problems of a value that the schema refused, each with its place in the text. */
export function problemsOf(issues: readonly Issue[], tree: SourceTree, file: string): Problem[] {
  return issues
    .flatMap((issue) => findings(issue, [], tree.value))
    .map((finding) => ({
      path: file,
      ...tree.locate(finding.path, finding.which),
      key: formatKey(finding.path),
      message: finding.message,
      hint: finding.hint,
    }));
}

function findings(issue: Issue, prefix: KeyPath, root: unknown): Finding[] {
  const path = [...prefix, ...(issue.path as (string | number)[])];
  const value = valueAt(root, path);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key, issue.message));
  if (issue.code === 'invalid_union') {
    const branch = meantBranch(issue.errors, value);
    if (branch !== null) return branch.flatMap((inner) => findings(inner, path, root));
  }
  if (issue.code === 'invalid_key') {
    const hint = issue.issues[0]?.message ?? '';
    return [{ path, which: 'key', message: `the key ${JSON.stringify(path.at(-1))} is not allowed`, hint }];
  }
  if (value === undefined) return [missing(path, issue)];
  return [{ path, which: 'value', message: foundMessage(path, issue, value), hint: hintOf(issue, value) }];
}

function foundMessage(path: KeyPath, issue: Issue, value: unknown): string {
  const where = path.length === 0 ? 'the file' : formatKey(path);
  const incomplete = issue.code === 'custom' && typeof value === 'object' && value !== null;
  return incomplete ? `${where} is incomplete or contradicts itself` : `${where} is ${describe(value)}`;
}

function unknownKey(path: KeyPath, key: string, known: string): Finding {
  const candidates = known.startsWith(KNOWN_KEYS) ? known.slice(KNOWN_KEYS.length).split(',') : [];
  const where = path.length === 0 ? '' : ` in ${formatKey(path)}`;
  const message = `unknown key ${JSON.stringify(key.length > 60 ? `${key.slice(0, 60)}...` : key)}${where}`;
  return { path: [...path, key], which: 'key', message, hint: suggest(key, candidates) };
}

function missing(path: KeyPath, issue: Issue): Finding {
  const where = path.length === 1 ? '' : ` in ${formatKey(path.slice(0, -1))}`;
  const message = `${JSON.stringify(path.at(-1) ?? 'format')} is missing${where}`;
  return { path, which: 'value', message, hint: hintOf(issue, undefined) };
}

/** Issues of the only union form that the value's outer type fits; null if none or several do. */
function meantBranch(branches: readonly (readonly Issue[])[], value: unknown): readonly Issue[] | null {
  const fitting = branches.filter((issues) => !issues.some((issue) => isOuterMismatch(issue, value)));
  return fitting.length === 1 ? fitting[0] : null;
}

function isOuterMismatch(issue: Issue, value: unknown): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === 'invalid_union')
    return issue.errors.every((inner) => inner.some((one) => isOuterMismatch(one, value)));
  // A wrong text where a text is wanted is a near miss of this form only if the form says more than its type.
  return issue.code === 'invalid_type' || (issue.code === 'invalid_value' && typeof value !== 'string');
}

function hintOf(issue: Issue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_value': {
      const values = issue.values.map(String);
      if (values.length === 1) return `expected ${JSON.stringify(values[0])}`;
      return typeof value === 'string' ? suggest(value, values) : `expected one of ${values.join(', ')}`;
    }
    case 'invalid_type':
      return issue.message.startsWith('expected') ? issue.message : `expected ${typeName(issue.expected)}`;
    case 'too_big':
      return `expected ${sizeOf(issue.origin, 'at most', issue.maximum)}`;
    case 'too_small':
      return `expected ${sizeOf(issue.origin, 'at least', issue.minimum)}`;
    default:
      return issue.message;
  }
}

function sizeOf(origin: string, side: string, limit: number | bigint): string {
  if (origin === 'string') return `${side} ${limit} characters`;
  return origin === 'array' ? `${side} ${limit} entries` : `${side} ${limit}`;
}

function typeName(expected: string): string {
  const names: Readonly<Record<string, string>> = {
    array: 'a list',
    object: 'a map',
    record: 'a map',
    string: 'a text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
  };
  return names[expected] ?? expected;
}

/** A value in a few words, for messages. */
export function describe(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'a map';
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 60)}..."` : text;
}

function valueAt(root: unknown, path: KeyPath): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}
