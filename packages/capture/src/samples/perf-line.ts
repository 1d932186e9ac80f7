/**
 * One line of what perf prints about samples of memory accesses (DAMON spec 5.3). Columns are found by their position beside the
 * event's name and by what they look like, since each choice of `perf script -F` prints others.
 *
 * Addresses are kept as numbers of 4 KiB units, which are exact in a double where a 64-bit address is not. The lowest twelve bits
 * serve to tell addresses apart: a virtual and a physical address of one access have them in common.
 */

/** Bits of an address below a unit. */
export const UNIT_SHIFT = 12;

/** What a line says. */
export type PerfLine =
  | { readonly kind: 'sample'; readonly sample: PerfSample }
  /** A block of a huge page's size that another tool has counted already. */
  | { readonly kind: 'block'; readonly physical: boolean; readonly unit: number; readonly hotPercent: number }
  /** A line of a call chain, below a sample. */
  | { readonly kind: 'chain' };

/** One sampled access. Null: the line does not say. */
export interface PerfSample {
  /** Name of the event without its colon, or '' where none is printed. */
  readonly event: string;
  readonly process: number | null;
  readonly virtual: number | null;
  readonly physical: number | null;
  /** The address of the instruction, where it is the only one. */
  readonly instruction: number | null;
}

const HEX = /^(?:0x)?([0-9a-f]{1,16})$/i;
const LONE_NUMBER = /^\s*(?:0x)?([0-9a-f]{1,16})\s*$/i;
const FRAME_BLOCK = /^PFN[\s:]+(?:0x)?([0-9a-f]{1,13})[\s:,]+(?:hot_fraction[=:]?\s*)?([0-9]{1,3})\s*%?\s*$/i;
const ADDRESS_BLOCK = /^0x([0-9a-f]{1,16})\s+0x([0-9a-f]{1,16})\s+([0-9]{1,3})\s*%?\s*$/i;
const TIME = /^[0-9]+\.[0-9]+:$/;
const EVENT = /^[^\s:][^\s]*:$/;
const CPU = /^\[[0-9]+\]$/;
const PROCESS = /^(-?[0-9]+)(?:\/-?[0-9]+)?$/;

/** Reads a line that is neither empty nor a comment; null if it is none of the known forms. */
export function parsePerfLine(line: string): PerfLine | null {
  const lone = LONE_NUMBER.exec(line);
  if (lone !== null) return sample({ physical: unitOf(lone[1]) });
  const block = parseBlock(line.trim());
  if (block !== null) return block;
  const tokens = line.trim().split(/\s+/);
  const event = eventAt(tokens);
  if (event >= 0) return parseSample(tokens, event);
  return /^\s/.test(line) && HEX.test(tokens[0]) ? { kind: 'chain' } : null;
}

function parseBlock(line: string): PerfLine | null {
  const frame = FRAME_BLOCK.exec(line);
  if (frame !== null && Number(frame[2]) <= 100) {
    // A frame number is a number of units already.
    return { kind: 'block', physical: true, unit: Number.parseInt(frame[1], 16), hotPercent: Number(frame[2]) };
  }
  const address = ADDRESS_BLOCK.exec(line);
  if (address === null || Number(address[3]) > 100) return null;
  return { kind: 'block', physical: false, unit: unitOf(address[1]), hotPercent: Number(address[3]) };
}

/** Where the event's name stands: the first word with a colon at its end that is not a time. */
function eventAt(tokens: readonly string[]): number {
  const time = tokens.findIndex((token) => TIME.test(token));
  for (let at = time + 1; at < tokens.length; at++) if (EVENT.test(tokens[at]) && !TIME.test(tokens[at])) return at;
  return -1;
}

function parseSample(tokens: readonly string[], event: number): PerfLine {
  const process = processIn(tokens.slice(0, event));
  const name = tokens[event].slice(0, -1);
  const after = tokens.slice(event + 1);
  const first = after[0] === undefined ? null : HEX.exec(after[0]);
  if (first === null) return sample({ event: name, process });
  // The instruction's address comes with its symbol or its file behind it, and there is none before it.
  if (!isHex(after[1]) && after.length > 1 && !isDecoded(after[1]) && !isNumber(after[1])) {
    return sample({ event: name, process, instruction: unitOf(first[1]) });
  }
  const physical = physicalAmong(after.slice(1), first[1]);
  return sample({ event: name, process, virtual: unitOf(first[1]), physical });
}

/**
 * The physical address among the words behind the virtual one: the last number that ends in the same twelve bits, or a
 * zero, which perf prints where the address is not known.
 */
function physicalAmong(words: readonly string[], virtual: string): number | null {
  let zero = false;
  for (let at = words.length - 1; at >= 0; at--) {
    const hex = HEX.exec(words[at])?.[1];
    if (hex === undefined) continue;
    if (/^0+$/.test(hex)) zero = true;
    else if (hex.length > 3 && lowBits(hex) === lowBits(virtual)) return unitOf(hex);
  }
  return zero ? 0 : null;
}

function processIn(before: readonly string[]): number | null {
  const cpu = before.findIndex((token) => CPU.test(token));
  const time = before.findIndex((token) => TIME.test(token));
  const end = cpu >= 0 ? cpu : time >= 0 ? time : before.length;
  const match = PROCESS.exec(before[end - 1] ?? '');
  // A command's name alone is no process, and a lone number may be the name of one.
  return match === null || end < 2 ? null : Number(match[1]);
}

function sample(over: Partial<PerfSample>): PerfLine {
  return {
    kind: 'sample',
    sample: { event: '', process: null, virtual: null, physical: null, instruction: null, ...over },
  };
}

function isHex(word: string | undefined): boolean {
  return word !== undefined && HEX.test(word);
}

function isNumber(word: string): boolean {
  return /^[0-9]+$/.test(word);
}

/** The words of a decoded data source: `|OP LOAD|LVL L1 hit|…`. */
function isDecoded(word: string): boolean {
  return word.startsWith('|');
}

function lowBits(hex: string): number {
  return Number.parseInt(hex.slice(-3), 16);
}

/** The number of the 4 KiB unit that an address in hexadecimal digits lies in. */
export function unitOf(hex: string): number {
  return hex.length <= 3 ? 0 : Number.parseInt(hex.slice(0, -3), 16);
}
