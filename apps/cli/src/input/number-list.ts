/** Lists of whole numbers on the command line: `0,64,255-511`. */
import { UsageError } from '../errors.js';

/** More values than this are a slip of the hand. */
const MOST = 100_000;

/**
 * The numbers of a list of numbers and ranges, ascending, each once. Errors: UsageError for what is no list, or outside of
 * `from` to `to`.
 *
 * @param option what the list belongs to, for the error
 */
export function numberList(option: string, text: string, from: number, to: number): readonly number[] {
  const numbers = new Set<number>();
  for (const part of text.split(',')) {
    const [, first, , last] = /^\s*([0-9]{1,9})\s*(-\s*([0-9]{1,9})\s*)?$/.exec(part) ?? [];
    const low = Number(first);
    const high = Number(last ?? first);
    if (first === undefined || low > high) {
      throw new UsageError(
        `${option} ${JSON.stringify(text)}: ${JSON.stringify(part)} is no number and no range such as 4-7`,
      );
    }
    if (low < from || high > to) {
      throw new UsageError(`${option} ${JSON.stringify(text)}: ${part.trim()} is not within ${from} to ${to}`);
    }
    if (high - low > MOST) throw new UsageError(`${option} ${JSON.stringify(text)} are too many values`);
    for (let number = low; number <= high; number++) numbers.add(number);
  }
  return [...numbers].sort((a, b) => a - b);
}

/** Numbers as a list with ranges: `0,2-4`. */
export function listText(numbers: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < numbers.length; ) {
    let end = i;
    while (numbers[end + 1] === (numbers[end] as number) + 1) end++;
    parts.push(end === i ? `${numbers[i]}` : `${numbers[i]}-${numbers[end]}`);
    i = end + 1;
  }
  return parts.join(',');
}
