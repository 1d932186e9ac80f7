/** Reads of /proc and /sys that tell what the kernel did. Nothing here writes. */
import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import type { Libc } from '@thplab/live-kernel';
import { RANGE } from '../case.js';

export const PAGE_BYTES = 4096;
export const THP_SYSFS = '/sys/kernel/mm/transparent_hugepage';

/** Bits of a pagemap entry: 63, 62, 61, 58, 57. */
export const PM = {
  present: 0x8000_0000_0000_0000n,
  swap: 0x4000_0000_0000_0000n,
  file: 0x2000_0000_0000_0000n,
  guard: 0x0400_0000_0000_0000n,
  wp: 0x0200_0000_0000_0000n,
} as const;
/** The frame number in a pagemap entry: bits 0 to 54. */
export const PM_PFN: bigint = 2n ** 55n - 1n;
/** Bits of a kpageflags entry: 12, 14, 15 and 16, 24, 33. */
export const KPF = {
  anon: 0x1000n,
  swapBacked: 0x4000n,
  compound: 0x1_8000n,
  zeroPage: 0x100_0000n,
  mlocked: 0x2_0000_0000n,
} as const;

/** A file that is read at places, kept open. */
export class OpenFile {
  readonly fd: number;

  constructor(path: string) {
    this.fd = openSync(path, 'r');
  }

  /** 64-bit words from word `from` on; 0 beyond the end. */
  words(from: number, count: number): BigUint64Array {
    const words = new BigUint64Array(count);
    readSync(this.fd, words, 0, count * 8, from * 8);
    return words;
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** Page tables and resident size of one process. */
export class ProcessFiles {
  readonly pid: number;
  private readonly pagemap: OpenFile;

  constructor(pid: number) {
    this.pid = pid;
    this.pagemap = new OpenFile(`/proc/${pid}/pagemap`);
  }

  /** Entries of the PMD range that begins with page `first`. */
  entries(first: number): BigUint64Array {
    return this.pagemap.words(first, RANGE);
  }

  /** True if the PMD range is mapped by its PMD (PAGEMAP_SCAN, category PAGE_IS_HUGE). Undefined: the kernel cannot tell. */
  isHuge(libc: Libc, first: number): boolean | undefined {
    const start = BigInt(first * PAGE_BYTES);
    const vector = new BigUint64Array(3);
    const vectorAt = BigInt(libc.addressOf(vector));
    const end = start + BigInt(RANGE * PAGE_BYTES);
    const argument = new BigUint64Array([
      96n,
      0n,
      start,
      end,
      0n,
      vectorAt,
      1n,
      0n,
      0n,
      PAGE_IS_HUGE,
      0n,
      PAGE_IS_HUGE,
    ]);
    const found = libc.ioctl(this.pagemap.fd, PAGEMAP_SCAN, argument);
    return found < 0 ? undefined : found > 0;
  }

  /** Pages that smaps counts as resident in [first, end). */
  residentPages(first: number, end: number): number {
    const low = first * PAGE_BYTES;
    const high = end * PAGE_BYTES;
    let inside = false;
    let kilobytes = 0;
    for (const line of linesUntil(`/proc/${this.pid}/smaps`, high)) {
      const range = /^([0-9a-f]+)-[0-9a-f]+ /.exec(line);
      if (range !== null) {
        const start = Number.parseInt(range[1], 16);
        inside = start >= low && start < high;
      } else if (inside && line.startsWith('Rss:')) kilobytes += Number(/\d+/.exec(line)?.[0]);
    }
    return (kilobytes * 1024) / PAGE_BYTES;
  }

  close(): void {
    this.pagemap.close();
  }
}

const PAGEMAP_SCAN = 0xc0606610;
const PAGE_IS_HUGE = 1n << 6n;

/** Lines of smaps until a mapping begins at or above `high`: what lies above is not walked by the kernel at all. */
function* linesUntil(path: string, high: number): Generator<string> {
  const fd = openSync(path, 'r');
  const buffer = Buffer.alloc(16_384);
  let rest = '';
  try {
    for (;;) {
      const got = readSync(fd, buffer, 0, buffer.length, null);
      if (got === 0) return;
      const lines = (rest + buffer.toString('latin1', 0, got)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const range = /^([0-9a-f]+)-/.exec(line);
        if (range !== null && Number.parseInt(range[1], 16) >= high) return;
        yield line;
      }
    }
  } finally {
    closeSync(fd);
  }
}

/** A machine-wide file with counters, read again and again. */
export class CounterFile {
  private readonly fd: number;
  private readonly buffer: Buffer = Buffer.alloc(32_768);

  constructor(path: string) {
    this.fd = openSync(path, 'r');
  }

  text(): string {
    return this.buffer.toString('latin1', 0, readSync(this.fd, this.buffer, 0, this.buffer.length, 0));
  }
}

/** Settings of transparent huge pages: path below THP_SYSFS to text. Read-only files are counters. */
export function readThpSettings(): Record<string, string> {
  const found: Record<string, string> = {};
  const visit = (folder: string): void => {
    for (const entry of readdirSync(`${THP_SYSFS}/${folder}`, { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) visit(path);
      else if ((statSync(`${THP_SYSFS}/${path}`).mode & 0o222) !== 0) {
        found[path] = readFileSync(`${THP_SYSFS}/${path}`, 'utf8').trim();
      }
    }
  };
  visit('');
  return found;
}

/** Process id of the kernel's khugepaged, undefined if there is none to be seen. */
export function khugepagedPid(): number | undefined {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (readFileSync(`/proc/${name}/comm`, 'latin1') === 'khugepaged\n') return Number(name);
    } catch {
      // It has ended meanwhile.
    }
  }
  return undefined;
}
