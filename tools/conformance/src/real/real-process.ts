/**
 * Carries out the steps of a case on the running kernel, in this process's own memory. Touches go through system calls
 * (preadv into the pages, pwritev out of them), so that a page that cannot be touched gives EFAULT and no signal.
 */
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { type Libc, MAP, MREMAP, type Piece, PR, PROT, SIGKILL, UFFD } from '@thplab/live-kernel';
import { MADV } from '@thplab/mm-model';
import { BASE_PAGE, type MapKind, type Rights, type Step, type UffdModeName, WINDOW_PAGES } from '../case.js';
import { PAGE_BYTES } from './proc-files.js';

const RIGHTS: Readonly<Record<Rights, number>> = {
  none: PROT.NONE,
  r: PROT.READ,
  w: PROT.WRITE,
  rw: PROT.READ | PROT.WRITE,
  rx: PROT.READ | PROT.EXEC,
  rwx: PROT.READ | PROT.WRITE | PROT.EXEC,
};

const MODES: Readonly<Record<UffdModeName, number>> = {
  missing: UFFD.MODE_MISSING,
  wp: UFFD.MODE_WP,
  'missing+wp': UFFD.MODE_MISSING | UFFD.MODE_WP,
  minor: UFFD.MODE_MINOR,
};

const FILE_KINDS: ReadonlySet<MapKind> = new Set(['memfd', 'memfd-private', 'disk', 'disk-private']);
const SHARED_KINDS: ReadonlySet<MapKind> = new Set(['shared', 'memfd', 'disk']);
/** Pages touched by one call: the kernel takes 1024 pieces at most. */
const CHUNK = 512;
/** Writes that a case may do. */
const WORDS = 1 << 17;
const EFAULT = -14;

/** What cases of one process share: the source of contents. */
export class WordSource {
  readonly libc: Libc;
  /** Holds the number of each write, in order. */
  readonly numbers: number;
  /** Where reads go. */
  readonly sink: number;
  readonly words: BigUint64Array;

  constructor(libc: Libc) {
    this.libc = libc;
    this.words = BigUint64Array.from({ length: WORDS }, (_, i) => BigInt(i + 1));
    this.numbers = libc.memfd('thplab-numbers');
    writeSync(this.numbers, this.words);
    this.sink = libc.memfd('thplab-sink');
  }
}

/** The process of a case and its children. `undo` puts everything back. */
export class RealProcess {
  private readonly libc: Libc;
  private readonly source: WordSource;
  private readonly children: (number | 0)[] = [];
  private readonly pidfds = new Map<number, number>();
  private readonly files = new Map<string, number>();
  private readonly pipes: number[] = [];
  private uffd = -1;
  private written = 0;

  constructor(source: WordSource) {
    this.libc = source.libc;
    this.source = source;
  }

  /** Process ids of the living children. */
  living(): number[] {
    return this.children.filter((pid) => pid !== 0);
  }

  /** Carries out one step; gives what the system call gives, addresses and byte counts as 0. */
  step(step: Step): number {
    const { libc } = this;
    switch (step.do) {
      case 'map':
        return Math.min(0, this.map(step));
      case 'unmap':
        return libc.munmap(address(step.at), bytes(step.pages));
      case 'write':
        return this.write(step.who ?? 0, step.at, step.pages);
      case 'read':
        return this.touch(step.at, step.pages, (pieces) => libc.pwritev(this.source.sink, pieces, 0));
      case 'advise':
        return this.advise(step);
      case 'protect':
        return libc.mprotect(address(step.at), bytes(step.pages), RIGHTS[step.rights]);
      case 'lock':
        return libc.mlock(address(step.at), bytes(step.pages));
      case 'unlock':
        return libc.munlock(address(step.at), bytes(step.pages));
      case 'move': {
        const flags = MREMAP.MAYMOVE | MREMAP.FIXED | (step.dontUnmap ? MREMAP.DONTUNMAP : 0);
        const newBytes = bytes(step.newPages ?? step.pages);
        return Math.min(0, libc.mremap(address(step.at), bytes(step.pages), newBytes, flags, address(step.to)));
      }
      case 'fork': {
        const pid = libc.forkPaused();
        if (pid > 0) this.children.push(pid);
        return Math.min(0, pid);
      }
      case 'end':
        return this.end(step.child);
      case 'pin':
        return this.pin(step.at, step.pages);
      case 'unpin':
        this.emptyPipes();
        return 0;
      case 'uffd':
        return this.register(step);
      case 'uffdUnregister':
        return this.request(UFFD.IOCTL_UNREGISTER, [address(step.at), bytes(step.pages)]);
      case 'wp':
      case 'unwp':
        return this.request(UFFD.IOCTL_WRITEPROTECT, [address(step.at), bytes(step.pages), step.do === 'wp' ? 1 : 0]);
      case 'uffdClose':
        // A child has the descriptor, too, so closing ours would not end it.
        if (this.living().length > 0) this.request(UFFD.IOCTL_UNREGISTER, [address(0), bytes(WINDOW_PAGES)]);
        if (this.uffd >= 0) closeSync(this.uffd);
        this.uffd = -1;
        return 0;
      case 'thpDisable': {
        const on = step.how !== 'off';
        return libc.prctl(PR.SET_THP_DISABLE, on ? 1 : 0, step.how === 'except-advised' ? 2 : 0);
      }
    }
  }

  /** Ends the children, closes and unmaps everything. */
  undo(): void {
    for (const child of this.children.keys()) if (this.children[child] !== 0) this.end(child + 1);
    this.emptyPipes();
    if (this.uffd >= 0) closeSync(this.uffd);
    this.libc.munmap(address(0), bytes(WINDOW_PAGES));
    for (const fd of this.files.values()) closeSync(fd);
  }

  private pid(who: number): number {
    const pid = who === 0 ? process.pid : this.children[who - 1];
    if (!pid) throw new Error(`there is no child ${who}`);
    return pid;
  }

  private map(step: Extract<Step, { do: 'map' }>): number {
    const kind = step.kind ?? 'anon';
    let flags = MAP.FIXED | (SHARED_KINDS.has(kind) ? MAP.SHARED : MAP.PRIVATE);
    for (const name of step.flags ?? []) flags |= MAP[name];
    const [at, length, rights] = [address(step.at), bytes(step.pages), RIGHTS[step.rights ?? 'rw']];
    if (!FILE_KINDS.has(kind)) return this.libc.mmap(at, length, rights, flags | MAP.ANONYMOUS);
    return this.libc.mmap(at, length, rights, flags, this.file(step, kind.startsWith('disk')), bytes(step.pgoff ?? 0));
  }

  private file(step: Extract<Step, { do: 'map' }>, disk: boolean): number {
    const name = step.file ?? 'file';
    const known = this.files.get(name);
    if (known !== undefined) return known;
    const fd = disk ? temporaryFile() : this.libc.memfd(name);
    this.libc.ftruncate(fd, bytes(step.filePages ?? (step.pgoff ?? 0) + step.pages));
    this.files.set(name, fd);
    return fd;
  }

  private write(who: number, at: number, pages: number): number {
    const { libc, source } = this;
    if (this.written + pages > WORDS) throw new RangeError(`a case may write ${WORDS} pages`);
    return this.touch(at, pages, (pieces) => {
      const first = this.written * 8;
      const from = { address: libc.addressOf(source.words) + first, bytes: pieces.length * 8 };
      const got = who === 0 ? libc.preadv(source.numbers, pieces, first) : libc.writeOther(this.pid(who), from, pieces);
      this.written += Math.max(0, Math.floor(got / 8));
      return got;
    });
  }

  /** Touches 8 bytes of each page; gives the number of pages touched, or -EFAULT for none. */
  private touch(at: number, pages: number, call: (pieces: readonly Piece[]) => number): number {
    for (let done = 0; done < pages; ) {
      const count = Math.min(CHUNK, pages - done);
      const pieces = Array.from({ length: count }, (_, i) => ({ address: address(at + done + i), bytes: 8 }));
      const got = call(pieces);
      const touched = Math.max(0, Math.floor(got / 8));
      done += touched;
      if (touched < count) return done > 0 ? done : got < 0 ? got : EFAULT;
    }
    return pages;
  }

  private advise(step: Extract<Step, { do: 'advise' }>): number {
    const { libc } = this;
    const who = step.who ?? 0;
    if (who === 0 && step.processMadvise !== true) {
      return libc.madvise(address(step.at), bytes(step.pages), MADV[step.advice]);
    }
    const pid = this.pid(who);
    const pidfd = this.pidfds.get(pid) ?? libc.pidfdOpen(pid);
    this.pidfds.set(pid, pidfd);
    const piece = { address: address(step.at), bytes: bytes(step.pages) };
    return Math.min(0, libc.processMadvise(pidfd, [piece], MADV[step.advice]));
  }

  private end(child: number): number {
    const pid = this.pid(child);
    this.children[child - 1] = 0;
    const pidfd = this.pidfds.get(pid);
    if (pidfd !== undefined) closeSync(pidfd);
    this.pidfds.delete(pid);
    this.libc.kill(pid, SIGKILL);
    return Math.min(0, this.libc.waitpid(pid));
  }

  /** Each page goes into a pipe of its own kind: 16 pages fill one. */
  private pin(at: number, pages: number): number {
    for (let i = 0; i < pages; i++) {
      if (i % 16 === 0) {
        const ends = this.libc.pipe();
        if (typeof ends === 'number') return ends;
        this.pipes.push(...ends);
      }
      const got = this.libc.vmsplice(this.pipes[this.pipes.length - 1], {
        address: address(at + i),
        bytes: PAGE_BYTES,
      });
      if (got < 0) return i === 0 ? got : i;
    }
    return pages;
  }

  /** Reading takes the pages' references back also where a child has the pipe, too. */
  private emptyPipes(): void {
    const buffer = Buffer.allocUnsafe(16 * PAGE_BYTES);
    for (const [i, fd] of this.pipes.splice(0).entries()) {
      if (i % 2 === 0) readUntilEmpty(fd, buffer);
      closeSync(fd);
    }
  }

  private register(step: Extract<Step, { do: 'uffd' }>): number {
    if (this.uffd < 0) {
      this.uffd = this.libc.userfaultfd(0);
      if (this.uffd < 0) return this.uffd;
      const features = UFFD.FEATURE_SIGBUS | (step.unpopulated ? UFFD.FEATURE_WP_UNPOPULATED : 0);
      const failed = this.request(UFFD.IOCTL_API, [UFFD.API, features, 0]);
      if (failed < 0) return failed;
    }
    return this.request(UFFD.IOCTL_REGISTER, [address(step.at), bytes(step.pages), MODES[step.mode], 0]);
  }

  private request(code: number, words: readonly number[]): number {
    return this.libc.ioctl(this.uffd, code, BigUint64Array.from(words.map(BigInt)));
  }
}

function readUntilEmpty(fd: number, buffer: Buffer): void {
  try {
    while (readSync(fd, buffer) > 0);
  } catch {
    // EAGAIN: there is no more in it.
  }
}

/** A file on disk without a name. */
function temporaryFile(): number {
  const path = `${tmpdir()}/thplab-conformance-${process.pid}-${process.hrtime.bigint()}`;
  const fd = openSync(path, 'wx+');
  unlinkSync(path);
  return fd;
}

function address(at: number): number {
  return (BASE_PAGE + at) * PAGE_BYTES;
}

function bytes(pages: number): number {
  return pages * PAGE_BYTES;
}
