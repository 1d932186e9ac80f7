/** What a read of a file shows. */
import { SysfsSchemaError } from './errors.js';
import type { SysfsFile } from './node.js';

/**
 * The text of a read, newline included: all words with the current one in brackets, or a decimal number. The value is what
 * parseWrite gives and a store keeps; for a constant it may be left out. Throws `bad-value` for a value the file cannot have.
 */
export function formatRead(file: SysfsFile, value: number | bigint = file.default): string {
  const { grammar } = file;
  if (grammar.kind === 'choice') {
    const word = wordOf(file, value);
    return `${grammar.choices.map((choice) => (choice === word ? `[${choice}]` : choice)).join(' ')}\n`;
  }
  return `${formatValue(file, value)}\n`;
}

/** The text that writes this value: the chosen word, or a decimal number. */
export function formatValue(file: SysfsFile, value: number | bigint): string {
  if (file.grammar.kind === 'choice') return wordOf(file, value);
  const [min, max] = bounds(file);
  const wrong = typeof value === 'number' && !Number.isSafeInteger(value);
  if (wrong || value < min || value > max)
    throw new SysfsSchemaError(
      'bad-value',
      `${file.path} cannot hold ${value}; it holds an integer from ${min} to ${max}`,
    );
  return value.toString();
}

/** The inverse of {@link formatRead}: the value shown by a text read from a real machine, or null if it is none. */
export function parseRead(file: SysfsFile, text: string): number | null {
  const line = text.endsWith('\n') ? text.slice(0, -1) : text;
  if (file.grammar.kind === 'choice') {
    const value = line.split(' ').findIndex((word) => word.startsWith('[') && word.endsWith(']'));
    return value in file.grammar.choices && formatRead(file, value) === `${line}\n` ? value : null;
  }
  if (!/^[0-9]{1,15}$/.test(line)) return null;
  const value = Number(line);
  const [min, max] = bounds(file);
  return value >= min && value <= max ? value : null;
}

function wordOf(file: SysfsFile, value: number | bigint): string {
  const word = file.grammar.kind === 'choice' ? file.grammar.choices[Number(value)] : undefined;
  if (word === undefined) {
    const count = file.grammar.kind === 'choice' ? file.grammar.choices.length : 0;
    throw new SysfsSchemaError(
      'bad-value',
      `${file.path} has no word number ${value}; words run from 0 to ${count - 1}`,
    );
  }
  return word;
}

function bounds(file: SysfsFile): readonly [min: number, max: number] {
  const { grammar } = file;
  if (grammar.kind === 'uint') return [grammar.min, grammar.max];
  if (grammar.kind === 'constant') return [grammar.value, grammar.value];
  if (grammar.kind === 'counter') return [0, Number.POSITIVE_INFINITY];
  return [0, 1];
}
