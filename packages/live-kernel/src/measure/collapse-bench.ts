/** Times faults and MADV_COLLAPSE on memory of this process. Memory is recycled: the first runs of each are not the best. */
import { closeSync, openSync, readSync } from 'node:fs';
import { cpus } from 'node:os';
import type { Libc, Piece } from '../libc.js';
import { MAP, PROT, SIGKILL } from '../numbers.js';
import { type Effort, nsOf, timed } from './stopwatch.js';

const PAGE = 4096;
const RANGE = 512;
const RANGE_BYTES = RANGE * PAGE;
/** Most ranges of a workload. */
const RANGES = 8;
const ATTEMPTS = 10;
const ADVICE = { DONTNEED: 4, HUGEPAGE: 14, COLLAPSE: 25 } as const;

/** Memory to collapse; see `CollapseWorkload` of @thplab/scenario. */
export interface TimedMemory {
  readonly name: string;
  readonly ranges: number;
  readonly steps: readonly TimedStep[];
}
export type TimedStep =
  | { readonly do: 'write'; readonly at: number; readonly pages: number; readonly every?: number }
  | { readonly do: 'advise' | 'drop'; readonly at: number; readonly pages: number }
  | { readonly do: 'split'; readonly at: number }
  | { readonly do: 'fork' };

/** The kernel refused what was to be timed; the message says what and why. */
export class MeasureError extends Error {}

/** See the head of the file. */
export class CollapseBench {
  private readonly libc: Libc;
  private readonly effort: Effort;
  /** Start of the mapping, aligned to a PMD range. */
  private readonly base: number;
  private readonly source: number;

  /** Keeps the calling thread on one processor from now on. Errors: MeasureError. */
  constructor(libc: Libc, effort: Effort) {
    this.libc = libc;
    this.effort = effort;
    libc.runOn(cpus().length - 1);
    const bytes = (RANGES + 1) * RANGE_BYTES;
    const at = must(libc.mmap(0, bytes, PROT.NONE, MAP.PRIVATE | MAP.ANONYMOUS | MAP.NORESERVE), 'mmap');
    this.base = Math.ceil(at / RANGE_BYTES) * RANGE_BYTES;
    this.source = must(libc.memfd('thplab-source'), 'memfd_create');
    must(libc.ftruncate(this.source, RANGE_BYTES), 'ftruncate');
  }

  /** MADV_COLLAPSE over the memory, ns. */
  collapse(memory: TimedMemory): number {
    return timed(() => {
      this.map(memory.ranges);
      const children = memory.steps.flatMap((step) => this.take(step));
      const ns = this.timedCollapse(memory);
      for (const pid of children) {
        this.libc.kill(pid, SIGKILL);
        this.libc.waitpid(pid);
      }
      return ns;
    }, this.effort);
  }

  /** MADV_COLLAPSE of a range that is huge already, ns. */
  emptyCall(): number {
    this.map(1);
    this.write(0, RANGE);
    must(this.libc.madvise(this.base, RANGE_BYTES, ADVICE.COLLAPSE), 'MADV_COLLAPSE');
    return timed(() => nsOf(() => this.libc.madvise(this.base, RANGE_BYTES, ADVICE.COLLAPSE)), this.effort);
  }

  /** MADV_COLLAPSE of 512 pages of which the last is pinned, ns. */
  refusedScan(): number {
    this.map(1);
    this.write(0, RANGE);
    const pipe = this.libc.pipe();
    if (typeof pipe === 'number') throw new MeasureError(`a pipe cannot be made: errno ${-pipe}`);
    const [reader, writer] = pipe;
    must(this.libc.vmsplice(writer, { address: this.base + (RANGE - 1) * PAGE, bytes: PAGE }), 'vmsplice');
    const ns = timed(() => nsOf(() => this.libc.madvise(this.base, RANGE_BYTES, ADVICE.COLLAPSE)), this.effort);
    this.libc.close(reader);
    this.libc.close(writer);
    return ns;
  }

  /** One 4K write fault, ns: 512 of them, less what touching the same pages again takes. */
  fault(): number {
    const touches = this.touches(() => this.write(0, RANGE));
    const faults = timed(() => {
      this.map(1);
      return nsOf(() => this.write(0, RANGE));
    }, this.effort);
    return Math.max(0, faults - touches) / RANGE;
  }

  /** One write fault that gets a huge page, ns. Errors: MeasureError where the settings give none. */
  hugeFault(): number {
    const touch = this.touches(() => this.write(0, 1));
    const ns = timed(() => {
      this.map(1);
      must(this.libc.madvise(this.base, RANGE_BYTES, ADVICE.HUGEPAGE), 'MADV_HUGEPAGE');
      return nsOf(() => this.write(0, 1));
    }, this.effort);
    return Math.max(0, ns - touch);
  }

  /** One entry of /proc/self/pagemap, ns: 8192 at a time, of memory in 4K pages. */
  pagemapEntry(): number {
    this.map(RANGES);
    this.write(0, RANGES * RANGE);
    const fd = openSync('/proc/self/pagemap', 'r');
    const buffer = Buffer.alloc(RANGES * RANGE * 8);
    const read = (): number => readSync(fd, buffer, 0, buffer.length, (this.base / PAGE) * 8);
    const ns = timed(() => nsOf(read), this.effort);
    closeSync(fd);
    return ns / (RANGES * RANGE);
  }

  /** Gives the memory back. */
  close(): void {
    this.libc.munmap(this.base, RANGES * RANGE_BYTES);
    this.libc.close(this.source);
  }

  private timedCollapse({ name, ranges }: TimedMemory): number {
    let failed = 0;
    // A page that somebody looks at for a moment makes it EAGAIN: again, and only if that goes on it is an error.
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const ns = nsOf(() => {
        failed = this.libc.madvise(this.base, ranges * RANGE_BYTES, ADVICE.COLLAPSE);
      });
      if (failed === 0) return attempt === 0 ? ns : Number.POSITIVE_INFINITY;
    }
    throw new MeasureError(`${name}: MADV_COLLAPSE fails with errno ${-failed}`);
  }

  private touches(touch: () => void): number {
    this.map(1);
    touch();
    return timed(() => nsOf(touch), this.effort);
  }

  private map(ranges: number): void {
    const flags = MAP.PRIVATE | MAP.ANONYMOUS | MAP.FIXED;
    must(this.libc.munmap(this.base, RANGES * RANGE_BYTES), 'munmap');
    must(this.libc.mmap(this.base, ranges * RANGE_BYTES, PROT.READ | PROT.WRITE, flags), 'mmap');
  }

  /** Gives the process ids of new children. */
  private take(step: TimedStep): number[] {
    const { libc } = this;
    const at = this.base + ('at' in step ? step.at : 0) * PAGE;
    if (step.do === 'fork') return [must(libc.forkPaused(), 'clone')];
    if (step.do === 'write') this.write(step.at, step.pages, step.every);
    else if (step.do === 'advise') must(libc.madvise(at, step.pages * PAGE, ADVICE.HUGEPAGE), 'MADV_HUGEPAGE');
    else if (step.do === 'drop') must(libc.madvise(at, step.pages * PAGE, ADVICE.DONTNEED), 'MADV_DONTNEED');
    else {
      must(libc.mprotect(at, PAGE, PROT.READ), 'mprotect');
      must(libc.mprotect(at, PAGE, PROT.READ | PROT.WRITE), 'mprotect');
    }
    return [];
  }

  /** Writes one word of each page. */
  private write(at: number, pages: number, every = 1): void {
    for (let done = 0; done < pages; done += RANGE * every) {
      const pieces: Piece[] = [];
      for (let i = done; i < Math.min(pages, done + RANGE * every); i += every) {
        pieces.push({ address: this.base + (at + i) * PAGE, bytes: 8 });
      }
      must(this.libc.preadv(this.source, pieces, 0), 'writing to the pages');
    }
  }
}

function must(result: number, what: string): number {
  if (result >= 0) return result;
  throw new MeasureError(`${what} fails with errno ${-result}`);
}
