/** Finding the place of a key path in a scenario text: for errors that only a run can find. */
import { DEFAULT_LIMITS } from './limits.js';
import type { KeyPath } from './problems.js';
import type { SourceKey } from './scenario.js';
import { readTree } from './yaml-tree.js';

/** Path, line and column (from 1) of a place in a file. */
export interface SourcePlace {
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

/**
 * A function that gives the place of a key path, such as `processes[0].vmas[1]`, in the text it was read from; of the
 * nearest enclosing thing where the file does not have it. For a text that cannot be read: its first line.
 */
export function scenarioLocator(text: string, path = '<scenario>'): (key: SourceKey) => SourcePlace {
  const read = readTree(text, path, DEFAULT_LIMITS);
  if ('problems' in read) return () => ({ path, line: 1, column: 1 });
  return (key) => ({ path, ...read.tree.locate(parseKey(key), 'value') });
}

/** The parts of a key path as `formatKey` writes it. */
function parseKey(key: SourceKey): KeyPath {
  const parts: (string | number)[] = [];
  for (const [, name, index, quoted] of key.matchAll(/([A-Za-z_]\w*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/g)) {
    if (name !== undefined) parts.push(name);
    else if (index !== undefined) parts.push(Number(index));
    else parts.push(JSON.parse(quoted) as string);
  }
  return parts;
}
