/**
 * A schedule as a short text, to be passed on and replayed.
 *
 * Bytes in base64url: version, number of tasks, hash of the operations (2 bytes), then for each run of steps by one task
 * a variable-length number (7 bits per byte, low first) that is (length - 1) times the number of tasks, plus the slot;
 * at the end a checksum of all before it (2 bytes).
 */
import { MAX_ACTORS } from './case.js';
import { ScheduleCodeError } from './errors.js';
import type { ScheduleTrace } from './trace.js';

const VERSION = 1;
const MAX_STEPS = 2 ** 24;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** What a code says. */
export interface Schedule {
  readonly taskCount: number;
  /** The slot of each step. */
  readonly choices: readonly number[];
  /** `operationsHash` of the schedule when it was recorded. */
  readonly hash: number;
}

/** A hash of what the steps of a schedule did, 16 bits: the same choices in another program give another one. */
export function operationsHash(trace: ScheduleTrace): number {
  let hash = 0x811c_9dc5;
  const mix = (value: number): void => {
    hash = Math.imul(hash ^ value, 0x0100_0193);
  };
  for (let step = 0; step < trace.count; step++) {
    const op = trace.op[step] as number;
    mix(trace.task[step] as number);
    mix(trace.move[step] as number);
    mix(trace.result[step] as number);
    mix(Math.floor(op / 2 ** 32));
    mix((op % 2 ** 32) | 0);
  }
  return (hash ^ (hash >>> 16)) & 0xffff;
}

/** The code of a schedule. */
export function encodeSchedule(schedule: Schedule): string {
  const { taskCount, choices, hash } = schedule;
  const bytes = [VERSION, taskCount, hash >> 8, hash & 0xff];
  for (let at = 0; at < choices.length; ) {
    let end = at + 1;
    while (end < choices.length && choices[end] === choices[at]) end++;
    let value = (end - at - 1) * taskCount + (choices[at] as number);
    for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) + 0x80);
    bytes.push(value);
    at = end;
  }
  const sum = checksum(bytes);
  bytes.push(sum >> 8, sum & 0xff);
  return toText(bytes);
}

/** Reads a code. ScheduleCodeError says what is wrong with it. */
export function decodeSchedule(code: string): Schedule {
  const bytes = toBytes(code);
  if (bytes.length < 6) throw new ScheduleCodeError(`'${code}' is too short for a schedule's code`);
  const body = bytes.slice(0, -2);
  const sum = (bytes[bytes.length - 2] as number) * 256 + (bytes[bytes.length - 1] as number);
  if (sum !== checksum(body)) throw new ScheduleCodeError('the checksum is wrong: a character is missing or mistyped');
  const [version, taskCount, high, low] = body as [number, number, number, number];
  if (version !== VERSION) throw new ScheduleCodeError(`the code is of version ${version}; this reads ${VERSION}`);
  if (taskCount < 1 || taskCount > MAX_ACTORS) throw new ScheduleCodeError(`the code is for ${taskCount} tasks`);
  return { taskCount, choices: readRuns(body, taskCount), hash: high * 256 + low };
}

function readRuns(body: readonly number[], taskCount: number): number[] {
  const choices: number[] = [];
  let value = 0;
  let factor = 1;
  for (const byte of body.slice(4)) {
    value += (byte % 0x80) * factor;
    factor *= 0x80;
    if (byte >= 0x80) continue;
    const length = Math.floor(value / taskCount) + 1;
    if (choices.length + length > MAX_STEPS) throw new ScheduleCodeError(`the code has more than ${MAX_STEPS} steps`);
    for (let step = 0; step < length; step++) choices.push(value % taskCount);
    value = 0;
    factor = 1;
  }
  if (factor !== 1) throw new ScheduleCodeError('the code ends within a number');
  return choices;
}

/** Fletcher's checksum, 16 bits. */
function checksum(bytes: readonly number[]): number {
  let low = 1;
  let high = 0;
  for (const byte of bytes) {
    low = (low + byte) % 255;
    high = (high + low) % 255;
  }
  return high * 256 + low;
}

function toText(bytes: readonly number[]): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const group = ((bytes[at] as number) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    const digits = Math.min(4, bytes.length - at + 1);
    for (let digit = 0; digit < digits; digit++) text += ALPHABET[(group >> (18 - 6 * digit)) & 63];
  }
  return text;
}

function toBytes(text: string): number[] {
  const bytes: number[] = [];
  let group = 0;
  let bits = 0;
  for (const character of text) {
    const digit = ALPHABET.indexOf(character);
    if (digit < 0) throw new ScheduleCodeError(`'${character}' cannot be part of a schedule's code`);
    group = ((group << 6) | digit) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((group >> bits) & 0xff);
  }
  if (bits >= 6 || (group & ((1 << bits) - 1)) !== 0) throw new ScheduleCodeError('the code is cut off');
  return bytes;
}
