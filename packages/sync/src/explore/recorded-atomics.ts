/**
 * Atomics on wrapped columns. The functions of `Atomics` take real typed arrays only, so while a case with an access log
 * runs they are replaced by ones that look behind a wrapped column, enter the use, and do the same.
 */
import { behindColumn } from './recorded-column.js';

type AtomicsName = 'add' | 'and' | 'compareExchange' | 'exchange' | 'load' | 'or' | 'store' | 'sub' | 'xor';
type AtomicsFunction = (array: object, element: number, ...values: number[]) => number;

const READERS: ReadonlySet<AtomicsName> = new Set(['load']);
const NAMES: readonly AtomicsName[] = [
  'add',
  'and',
  'compareExchange',
  'exchange',
  'load',
  'or',
  'store',
  'sub',
  'xor',
];

/** Replaces the functions until the function that comes back is called. */
export function recordAtomics(): () => void {
  const functions = Atomics as unknown as Record<AtomicsName, AtomicsFunction>;
  const before = NAMES.map((name) => functions[name]);
  for (const [at, name] of NAMES.entries()) {
    const plain = before[at] as AtomicsFunction;
    const write = !READERS.has(name);
    functions[name] = (array, element, ...values) => {
      const behind = behindColumn(array);
      if (behind === undefined) return plain(array, element, ...values);
      behind.use(element, write);
      return plain(behind.column, element, ...values);
    };
  }
  return () => {
    for (const [at, name] of NAMES.entries()) functions[name] = before[at] as AtomicsFunction;
  };
}
