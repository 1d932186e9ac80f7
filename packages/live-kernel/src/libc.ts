/**
 * The C library of this process. Every call gives what the system call gives: a number that is not negative, or the
 * negated errno. Addresses are plain numbers: user space ends at 2^47.
 *
 * These calls act on the memory of the Node process itself: a wrong address ends it with SIGSEGV, or worse. Whoever uses them
 * keeps to a range that he mapped himself.
 */
import { MAP, SIGCHLD, SYS } from './numbers.js';

/** A function of the C library as koffi makes it. */
type NativeFunction = (...args: unknown[]) => unknown;

/** The part of koffi that is used. */
export interface Koffi {
  load(library: string): { func(declaration: string): NativeFunction };
  errno(value?: number): number;
  address(value: unknown): bigint | number;
}

/** One piece of memory for reads and writes that gather. */
export interface Piece {
  readonly address: number;
  readonly bytes: number;
}

const STACK_BYTES = 65_536;

/** See the head of the file. */
export class Libc {
  private readonly koffi: Koffi;
  private readonly calls: Readonly<Record<keyof typeof DECLARATIONS, NativeFunction>>;
  private readonly sys: (typeof SYS)['x64' | 'arm64'];
  private childStack = 0;

  /** Errors: a library or a function that is not there. */
  constructor(koffi: Koffi, architecture: 'x64' | 'arm64') {
    this.koffi = koffi;
    this.sys = SYS[architecture];
    const library = koffi.load('libc.so.6');
    const calls = Object.entries(DECLARATIONS).map(([name, declaration]) => [name, library.func(declaration)]);
    this.calls = Object.fromEntries(calls) as Record<keyof typeof DECLARATIONS, NativeFunction>;
  }

  /** Maps memory; gives its address. */
  mmap(address: number, bytes: number, prot: number, flags: number, fd = -1, offset = 0): number {
    return this.call('mmap', BigInt(address), bytes, prot, flags, fd, offset);
  }

  munmap(address: number, bytes: number): number {
    return this.call('munmap', BigInt(address), bytes);
  }

  mprotect(address: number, bytes: number, prot: number): number {
    return this.call('mprotect', BigInt(address), bytes, prot);
  }

  madvise(address: number, bytes: number, advice: number): number {
    return this.call('madvise', BigInt(address), bytes, advice);
  }

  mlock(address: number, bytes: number): number {
    return this.call('mlock', BigInt(address), bytes);
  }

  munlock(address: number, bytes: number): number {
    return this.call('munlock', BigInt(address), bytes);
  }

  mremap(address: number, oldBytes: number, newBytes: number, flags: number, to = 0): number {
    return this.syscall(this.sys.mremap, address, oldBytes, newBytes, flags, to);
  }

  prctl(option: number, a = 0, b = 0): number {
    return this.call('prctl', option, a, b, 0, 0);
  }

  /** A file in memory; gives its descriptor. */
  memfd(name: string, flags = 0): number {
    return this.call('memfd_create', name, flags);
  }

  ftruncate(fd: number, bytes: number): number {
    return this.call('ftruncate', fd, bytes);
  }

  close(fd: number): number {
    return this.call('close', fd);
  }

  /** A pipe with blocking off; gives [read end, write end], or the negated errno. */
  pipe(): readonly [number, number] | number {
    const ends = new Int32Array(2);
    const failed = this.call('pipe2', ends, 0o4000);
    return failed < 0 ? failed : [ends[0], ends[1]];
  }

  /** Reads a file's bytes into several places; stops at the first that cannot be written. Gives the bytes read. */
  preadv(fd: number, pieces: readonly Piece[], offset: number): number {
    return this.call('preadv', fd, iovecs(pieces), pieces.length, offset);
  }

  /** Writes several places' bytes to a file; stops at the first that cannot be read. Gives the bytes written. */
  pwritev(fd: number, pieces: readonly Piece[], offset: number): number {
    return this.call('pwritev', fd, iovecs(pieces), pieces.length, offset);
  }

  /** Puts pages into a pipe by reference: each gets one more reference until the pipe is emptied or closed. */
  vmsplice(fd: number, piece: Piece): number {
    return this.call('vmsplice', fd, iovecs([piece]), 1, 0);
  }

  /** Reads `from` of another process (or this one), one piece after the other, into `into`; gives the bytes read. */
  readOther(pid: number, from: readonly Piece[], into: Uint8Array): number {
    const target = iovecs([{ address: this.addressOf(into), bytes: into.byteLength }]);
    return this.call('process_vm_readv', pid, target, 1, iovecs(from), from.length, 0);
  }

  /** Writes this process's memory at `from` to the places `to` of another process, `bytes` at each. */
  writeOther(pid: number, from: Piece, to: readonly Piece[]): number {
    return this.call('process_vm_writev', pid, iovecs([from]), 1, iovecs(to), to.length, 0);
  }

  /**
   * A child with a copy of this process's memory that never runs any of its code: it waits until it is killed. fork() itself
   * does not work here, as V8 keeps its heap out of children. Gives the process id.
   */
  forkPaused(): number {
    if (this.childStack === 0) {
      const stack = this.mmap(0, STACK_BYTES, 3, MAP.PRIVATE | MAP.ANONYMOUS);
      if (stack < 0) return stack;
      this.childStack = stack;
    }
    const pause = this.calls.dlsym(0n, 'pause');
    return this.call('clone', pause, BigInt(this.childStack + STACK_BYTES - 64), SIGCHLD, 0n);
  }

  kill(pid: number, signal: number): number {
    return this.call('kill', pid, signal);
  }

  /** Waits until a child has ended. */
  waitpid(pid: number): number {
    return this.call('waitpid', pid, null, 0);
  }

  pidfdOpen(pid: number): number {
    return this.syscall(this.sys.pidfd_open, pid, 0, 0, 0, 0);
  }

  processMadvise(pidfd: number, pieces: readonly Piece[], advice: number): number {
    const vectors = iovecs(pieces);
    return this.syscall(this.sys.process_madvise, pidfd, this.addressOf(vectors), pieces.length, advice, 0);
  }

  userfaultfd(flags: number): number {
    return this.syscall(this.sys.userfaultfd, flags, 0, 0, 0, 0);
  }

  /** A request with 64-bit words of arguments, which the kernel may change. */
  ioctl(fd: number, request: number, words: BigUint64Array): number {
    return this.call('ioctl', fd, request, words);
  }

  /** Lets the calling thread run on one processor only. */
  runOn(cpu: number): number {
    const mask = new BigUint64Array(16);
    mask[Math.floor(cpu / 64)] = 1n << BigInt(cpu % 64);
    return this.call('sched_setaffinity', 0, mask.byteLength, mask);
  }

  /** Address of a buffer's first byte. */
  addressOf(buffer: ArrayBufferView): number {
    return Number(this.koffi.address(buffer));
  }

  private syscall(number: number, ...args: readonly number[]): number {
    return this.call('syscall', number, ...args.map(BigInt));
  }

  private call(name: keyof typeof DECLARATIONS, ...args: unknown[]): number {
    const result = Number(this.calls[name](...args));
    // MAP_FAILED comes as the highest address, -1 from the others.
    if (result === -1 || result >= 2 ** 63) return -this.koffi.errno();
    return result;
  }
}

const DECLARATIONS = {
  mmap: 'uintptr_t mmap(uintptr_t at, size_t bytes, int prot, int flags, int fd, int64_t offset)',
  munmap: 'int munmap(uintptr_t at, size_t bytes)',
  mprotect: 'int mprotect(uintptr_t at, size_t bytes, int prot)',
  madvise: 'int madvise(uintptr_t at, size_t bytes, int advice)',
  mlock: 'int mlock(uintptr_t at, size_t bytes)',
  munlock: 'int munlock(uintptr_t at, size_t bytes)',
  prctl: 'int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)',
  memfd_create: 'int memfd_create(const char *name, unsigned int flags)',
  ftruncate: 'int ftruncate(int fd, int64_t bytes)',
  close: 'int close(int fd)',
  pipe2: 'int pipe2(_Out_ int *ends, int flags)',
  preadv: 'int64_t preadv(int fd, const void *pieces, int count, int64_t offset)',
  pwritev: 'int64_t pwritev(int fd, const void *pieces, int count, int64_t offset)',
  vmsplice: 'int64_t vmsplice(int fd, const void *pieces, size_t count, unsigned int flags)',
  process_vm_readv:
    'int64_t process_vm_readv(int pid, const void *into, size_t intoCount, const void *from, size_t fromCount, size_t flags)',
  process_vm_writev:
    'int64_t process_vm_writev(int pid, const void *from, size_t fromCount, const void *to, size_t toCount, size_t flags)',
  clone: 'int clone(uintptr_t start, uintptr_t stack, int flags, uintptr_t argument)',
  dlsym: 'uintptr_t dlsym(uintptr_t library, const char *name)',
  kill: 'int kill(int pid, int signal)',
  waitpid: 'int waitpid(int pid, void *status, int options)',
  ioctl: 'int ioctl(int fd, unsigned long request, void *words)',
  sched_setaffinity: 'int sched_setaffinity(int pid, size_t bytes, void *mask)',
  syscall: 'int64_t syscall(int64_t number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e)',
} as const;

/** An array of struct iovec. */
function iovecs(pieces: readonly Piece[]): BigUint64Array {
  const words = new BigUint64Array(pieces.length * 2);
  for (const [i, { address, bytes }] of pieces.entries()) {
    words[2 * i] = BigInt(address);
    words[2 * i + 1] = BigInt(bytes);
  }
  return words;
}
