/**
 * Configurations of masim, the access generator of DAMON's author: paragraphs apart by an empty line, `#` begins a line of
 * comment. The first paragraph has the regions (`name, bytes[, data file]`), each other one a phase: its name, its
 * milliseconds, then patterns `region, random (1) or in turn (0), stride, weight[, ro|wo|rw]`.
 */

/** A region: a name and its bytes. */
export interface MasimRegion {
  readonly name: string;
  readonly bytes: number;
}

/** A pattern of a phase. */
export interface MasimPattern {
  readonly region: string;
  readonly random: boolean;
  /** Bytes between accesses in turn. */
  readonly stride: number;
  /** How often it is chosen, relative to the others of the phase. */
  readonly weight: number;
  readonly mode: 'ro' | 'wo' | 'rw';
}

/** A phase. */
export interface MasimPhase {
  readonly name: string;
  readonly milliseconds: number;
  readonly patterns: readonly MasimPattern[];
}

/** A whole configuration. */
export interface MasimConfig {
  readonly regions: readonly MasimRegion[];
  readonly phases: readonly MasimPhase[];
}

/** What is wrong with a configuration, as `path:line:column: what; what would be right`. */
export class MasimError extends Error {
  override readonly name = 'MasimError';
  readonly line: number;
  readonly column: number;

  constructor(path: string, line: number, column: number, what: string, hint: string) {
    super(`${path}:${line}:${column}: ${what}; ${hint}`);
    this.line = line;
    this.column = column;
  }
}

/** Limits of what is read. */
const MOST = { bytes: 2 ** 24, lines: 200_000, regionBytes: 2 ** 47, milliseconds: 2 ** 40, weight: 2 ** 31 };

interface Line {
  readonly number: number;
  readonly text: string;
}

/** Reads a configuration. Errors: MasimError with the place of the first thing that is wrong. */
export function parseMasim(text: string, path = 'masim'): MasimConfig {
  const fail: Fail = (line, column, what, hint) => {
    throw new MasimError(path, line, column, what, hint);
  };
  if (text.length > MOST.bytes) fail(1, 1, `${text.length} bytes are too many`, `expected at most ${MOST.bytes}`);
  const [first, ...rest] = paragraphsOf(text);
  if (first === undefined) fail(1, 1, 'the file is empty', 'expected a paragraph of regions, then one for each phase');
  const reader = new Reader(fail);
  const regions = first.map((line) => reader.region(line));
  const names = new Set<string>();
  for (const [index, { name }] of regions.entries()) {
    if (names.has(name))
      fail(first[index].number, 1, `two regions are called ${quoted(name)}`, 'give each its own name');
    names.add(name);
  }
  if (rest.length === 0) {
    fail(
      first[first.length - 1].number,
      1,
      'there is no phase',
      'expected an empty line, then name, milliseconds, patterns',
    );
  }
  return { regions, phases: rest.map((lines) => reader.phase(lines, names)) };
}

/** Lines that are no comment, in paragraphs. A paragraph of comments alone is none. */
function paragraphsOf(text: string): Line[][] {
  const paragraphs: Line[][] = [];
  let open: Line[] = [];
  for (const [index, raw] of text.split('\n', MOST.lines).entries()) {
    const line = raw.replace(/\r$/, '');
    if (line.startsWith('#')) continue;
    if (line.trim() === '') {
      if (open.length > 0) paragraphs.push(open);
      open = [];
    } else open.push({ number: index + 1, text: line });
  }
  if (open.length > 0) paragraphs.push(open);
  return paragraphs;
}

type Fail = (line: number, column: number, what: string, hint: string) => never;

interface Field {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

class Reader {
  readonly #fail: Fail;

  constructor(fail: Fail) {
    this.#fail = fail;
  }

  region(line: Line): MasimRegion {
    const fields = fieldsOf(line);
    if (fields.length < 2 || fields.length > 3) {
      this.#fail(
        line.number,
        1,
        `a region of ${fields.length} fields`,
        'expected "name, bytes" or "name, bytes, data file"',
      );
    }
    const [name, bytes] = fields;
    if (name.text === '') this.#fail(name.line, name.column, 'a region without a name', 'expected "name, bytes"');
    return { name: name.text, bytes: this.#whole(bytes, 1, MOST.regionBytes, 'bytes') };
  }

  phase(lines: readonly Line[], regions: ReadonlySet<string>): MasimPhase {
    const [name, time, ...patterns] = lines;
    if (time === undefined || patterns.length === 0) {
      const hint = 'expected a line with its name, one with its milliseconds, and one for each pattern';
      this.#fail(name.number, 1, `the phase ${quoted(name.text.trim())} has ${lines.length} lines`, hint);
    }
    const all = fieldsOf(time);
    if (all.length > 1)
      this.#fail(time.number, all[1].column, `${quoted(all[1].text)} follows the time`, 'expected milliseconds alone');
    return {
      name: name.text.trim(),
      milliseconds: this.#whole(all[0], 1, MOST.milliseconds, 'milliseconds'),
      patterns: patterns.map((line) => this.#pattern(line, regions)),
    };
  }

  #pattern(line: Line, regions: ReadonlySet<string>): MasimPattern {
    const fields = fieldsOf(line);
    if (fields.length < 4 || fields.length > 5) {
      const hint = 'expected "region, random (1) or not (0), stride, weight" and maybe "ro", "wo" or "rw"';
      this.#fail(line.number, 1, `a pattern of ${fields.length} fields`, hint);
    }
    const [region, random, stride, weight, mode] = fields;
    if (!regions.has(region.text)) {
      const hint = `the file defines ${[...regions].slice(0, 12).join(', ')}`;
      this.#fail(region.line, region.column, `there is no region ${quoted(region.text)}`, hint);
    }
    const how = mode?.text ?? 'wo';
    if (how !== 'ro' && how !== 'wo' && how !== 'rw') {
      this.#fail(line.number, mode.column, `${quoted(how)} is no way to access`, 'expected ro, wo or rw');
    }
    return {
      region: region.text,
      random: this.#whole(random, 0, 1, '1 (random) or 0 (in turn)') === 1,
      stride: this.#whole(stride, 1, MOST.regionBytes, 'bytes'),
      weight: this.#whole(weight, 0, MOST.weight, 'a weight'),
      mode: how as MasimPattern['mode'],
    };
  }

  #whole(field: Field, least: number, most: number, what: string): number {
    const value = /^\d{1,16}$/.test(field.text) ? Number(field.text) : Number.NaN;
    if (value >= least && value <= most) return value;
    const hint = `expected ${what}, a whole number from ${least} to ${most}`;
    return this.#fail(field.line, field.column, `${quoted(field.text)} is no such number`, hint);
  }
}

function fieldsOf(line: Line): Field[] {
  let at = 0;
  return line.text.split(',').map((part) => {
    const column = at + 1 + (part.length - part.trimStart().length);
    at += part.length + 1;
    return { text: part.trim(), line: line.number, column };
  });
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text);
}
