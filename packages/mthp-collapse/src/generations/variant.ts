/** A generation with some fields changed: how a case or a user asks for a faulty or a proposed kernel. */
import type { Generation, GenerationDefects } from './generation.js';
import { GENERATIONS } from './index.js';

const DEFECTS: Readonly<Record<keyof GenerationDefects, true>> = {
  countsRefsBeforeFlush: true,
  skipsSecondRevalidate: true,
  isolateBelievesScanUffd: true,
  swapinUnlocksTwice: true,
  forgetsDroppedLock: true,
  leaksLocksOnFailure: true,
  reusesVmaAfterRelock: true,
  exitSkipsScanWait: true,
  exitIsUnlocked: true,
  skipsVmaWriteLock: true,
};

/** Values that a text file can hold. */
export type VariantFields = Readonly<Record<string, boolean | number | string>>;

/** Names that a variant may change: switches of defects, and fields of the generation that are plain values. */
export function variantFieldNames(generation: Generation): readonly string[] {
  const plain = Object.entries(generation).filter(
    ([name, value]) =>
      name !== 'name' && name !== 'summary' && typeof value !== 'object' && typeof value !== 'function',
  );
  return [...new Set([...Object.keys(DEFECTS), ...plain.map(([name]) => name)])].sort();
}

/** The words of a field are those that some generation has. */
function mustBeKnown(name: keyof Generation, value: unknown): void {
  const words = [...new Set(GENERATIONS.map((one) => one[name]))].filter((word) => typeof word === 'string').sort();
  if (words.includes(value as string)) return;
  throw new RangeError(`${name} is ${JSON.stringify(value)}; expected ${words.join(' or ')}`);
}

/**
 * The generation with these fields instead of its own. Errors: RangeError for a field that it does not have, or a value of
 * another type than the field's, or a word that no generation has; the message says what would be right.
 */
export function variantOf(generation: Generation, fields: VariantFields): Generation {
  const names = variantFieldNames(generation);
  for (const [name, value] of Object.entries(fields)) {
    if (!names.includes(name)) throw new RangeError(`no field ${JSON.stringify(name)}; there are ${names.join(', ')}`);
    const wanted = Object.hasOwn(DEFECTS, name) ? 'boolean' : typeof generation[name as keyof Generation];
    if (typeof value !== wanted) throw new RangeError(`${name} is ${JSON.stringify(value)}; expected a ${wanted}`);
    if (wanted === 'string') mustBeKnown(name as keyof Generation, value);
    if (wanted === 'number' && !(Number.isInteger(value) && (value as number) >= 0)) {
      throw new RangeError(`${name} is ${value}; expected a whole number from 0 on`);
    }
  }
  return { ...generation, ...fields } as Generation;
}
