/** Where in a JSON text a value stands. The text has been parsed: it is well formed. */
import type { KeyPath } from '../format/problems.js';

/** Line and column, from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** The place of the value at a path, or of the last thing on the way that the text has. */
export function placeInJson(text: string, path: KeyPath): Place {
  const scanner = new Scanner(text);
  scanner.blanks();
  let at = scanner.at;
  for (const part of path) {
    if (!scanner.enter(part)) break;
    at = scanner.at;
  }
  return placeOf(text, at);
}

/** The place of a character. */
export function placeOf(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { line, column: offset - before.lastIndexOf('\n') };
}

class Scanner {
  at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  blanks(): void {
    while (' \t\r\n'.includes(this.#text[this.at] ?? 'x')) this.at++;
  }

  /** Goes to a member of the value here; false if it has none of that name. */
  enter(part: string | number): boolean {
    const open = this.#text[this.at];
    if ((typeof part === 'number') !== (open === '[') || (open !== '[' && open !== '{')) return false;
    this.at++;
    for (let index = 0; ; index++) {
      this.blanks();
      if (this.#text[this.at] === ']' || this.#text[this.at] === '}') return false;
      const key = open === '{' ? this.#key() : index;
      if (key === part) return true;
      this.#skip();
      this.blanks();
      if (this.#text[this.at] === ',') this.at++;
    }
  }

  #key(): string {
    const start = this.at;
    this.#string();
    const key = JSON.parse(this.#text.slice(start, this.at)) as string;
    this.blanks();
    this.at++;
    this.blanks();
    return key;
  }

  #string(): void {
    this.at++;
    while (this.#text[this.at] !== '"') this.at += this.#text[this.at] === '\\' ? 2 : 1;
    this.at++;
  }

  /** Passes over the value here. */
  #skip(): void {
    let depth = 0;
    do {
      const next = this.#text[this.at];
      if (next === '"') this.#string();
      else {
        if (next === '[' || next === '{') depth++;
        if (next === ']' || next === '}') depth--;
        this.at++;
      }
    } while (depth > 0 || !',]}'.includes(this.#text[this.at] ?? ','));
  }
}
