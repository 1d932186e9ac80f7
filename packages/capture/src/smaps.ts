// /proc/PID/smaps and /proc/PID/maps: one VMA per header line; smaps adds lines of fields to each.
import { CaptureError } from './errors.js';

/** The kB fields of smaps that are kept, under the kernel's names. */
export const SMAPS_FIELDS = [
  'Rss',
  'Pss',
  'Shared_Clean',
  'Shared_Dirty',
  'Private_Clean',
  'Private_Dirty',
  'Referenced',
  'Anonymous',
  'KSM',
  'LazyFree',
  'AnonHugePages',
  'ShmemPmdMapped',
  'FilePmdMapped',
  'Shared_Hugetlb',
  'Private_Hugetlb',
  'Swap',
  'SwapPss',
  'Locked',
  'KernelPageSize',
  'MMUPageSize',
] as const;

/** One of {@link SMAPS_FIELDS}. */
export type SmapsField = (typeof SMAPS_FIELDS)[number];

/** One VMA as the text gives it. */
export interface MapsEntry {
  /** Byte addresses. Exact up to 2^53; the vsyscall page above is rounded to a page number that is still exact. */
  readonly start: number;
  readonly end: number;
  /** Four characters, such as 'rw-p'. */
  readonly perms: string;
  /** Offset in the file, bytes. */
  readonly offset: number;
  /** major:minor in hexadecimal, as printed. */
  readonly dev: string;
  readonly inode: string;
  /** As printed, '' for plain anonymous memory. */
  readonly name: string;
  readonly fieldsKb: Partial<Record<SmapsField, number>>;
  /** Two-letter mnemonics of VmFlags; empty when read from maps. */
  readonly vmFlags: readonly string[];
  readonly thpEligible: boolean | null;
}

const HEADER = /^([0-9a-f]+)-([0-9a-f]+) ([-rwxsp]{4}) ([0-9a-f]+) ([0-9a-f]+:[0-9a-f]+) ([0-9]+) *(.*)$/;
const KB_FIELD = /^([A-Za-z_]+): +([0-9]+) kB$/;
const KNOWN_FIELDS: ReadonlySet<string> = new Set(SMAPS_FIELDS);

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * Parses the text of smaps or maps (proc_pid_smaps(5), proc_pid_maps(5)). Fields that are not in {@link SMAPS_FIELDS} are passed over, so that a
 * newer kernel's additions do no harm.
 *
 * @throws CaptureError `unreadable` when a line is neither a header nor a field.
 */
export function parseSmaps(text: string): MapsEntry[] {
  const reader = new SmapsReader();
  let from = 0;
  while (from < text.length) {
    let to = text.indexOf('\n', from);
    if (to < 0) to = text.length;
    reader.read(text.slice(from, to));
    from = to + 1;
  }
  return reader.finish();
}

/** {@link parseSmaps} for lines that come by and by. */
export class SmapsReader {
  readonly #entries: MapsEntry[] = [];
  #current: Mutable<MapsEntry> | null = null;

  /** Takes the next line, without its end. @throws CaptureError `unreadable` */
  read(line: string): void {
    if (line === '') return;
    // Header lines start with a lower-case hexadecimal digit, fields with a capital letter.
    const first = line.charCodeAt(0);
    if (first >= 65 && first <= 90) {
      if (this.#current === null) throw unexpectedLine(line);
      parseField(line, this.#current);
    } else {
      this.#current = parseHeader(line);
      this.#entries.push(this.#current);
    }
  }

  /** The VMAs so far. */
  finish(): MapsEntry[] {
    return this.#entries;
  }
}

function parseHeader(line: string): Mutable<MapsEntry> {
  const match = HEADER.exec(line);
  if (match === null) throw unexpectedLine(line);
  const [, start, end, perms, offset, dev, inode, name] = match;
  return {
    start: Number.parseInt(start, 16),
    end: Number.parseInt(end, 16),
    perms,
    offset: Number.parseInt(offset, 16),
    dev,
    inode,
    name,
    fieldsKb: {},
    vmFlags: [],
    thpEligible: null,
  };
}

function parseField(line: string, entry: Mutable<MapsEntry>): void {
  if (line.startsWith('VmFlags:')) {
    entry.vmFlags = line.slice(8).split(' ').filter(Boolean);
    return;
  }
  if (line.startsWith('THPeligible:')) {
    entry.thpEligible = line.slice(12).trim() !== '0';
    return;
  }
  const match = KB_FIELD.exec(line);
  if (match === null) return;
  if (KNOWN_FIELDS.has(match[1])) entry.fieldsKb[match[1] as SmapsField] = Number(match[2]);
}

function unexpectedLine(line: string): CaptureError {
  const shown = line.length > 120 ? `${line.slice(0, 120)}...` : line;
  return new CaptureError('unreadable', `This line of smaps is neither the head of a mapping nor a field: ${shown}`);
}
