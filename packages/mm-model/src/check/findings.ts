/** Differences found, in words. After a limit they are only counted: one defect shows in many places. */
export class Findings {
  readonly #lines: string[] = [];
  readonly #limit: number;
  #more = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Adds a difference. */
  add(text: string): void {
    if (this.#lines.length < this.#limit) this.#lines.push(text);
    else this.#more++;
  }

  /** Adds `what: is 3, but counted 2` if the two differ. */
  equal(what: string, kept: number, counted: number): void {
    if (kept !== counted) this.add(`${what} is ${kept}, but ${counted} were counted`);
  }

  /** The differences. */
  lines(): readonly string[] {
    return this.#more === 0 ? this.#lines : [...this.#lines, `and ${this.#more} more`];
  }
}
