/** Results for programs: one document, or one document per line. */

/** The head of every document: what it is, and what made it. */
export interface DocumentHead {
  /** `thplab/run@1` and so on. */
  readonly format: string;
  /** Version of thplab. */
  readonly version: string;
}

/** One document over several lines. Typed arrays become lists, maps become objects; what is undefined is left out. */
export function jsonDocument(value: unknown): string {
  return `${JSON.stringify(value, plain, 2)}\n`;
}

/** The same on one line. */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value, plain)}\n`;
}

function plain(_key: string, value: unknown): unknown {
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return Array.from(value as unknown as ArrayLike<number>);
  if (value instanceof Map) return Object.fromEntries(value);
  if (value instanceof Set) return [...value];
  if (typeof value === 'bigint') return value.toString();
  return value;
}
