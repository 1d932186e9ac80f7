// /proc/kpageflags and /proc/kpagecount: one 64-bit word per page frame of the machine (pagemap.rst). Frames are read in
// ascending order and in as few reads as pays: a small gap between two frames is read over.
import { PageFlag } from './page-kind.js';
import type { ReadOnlyFile } from './proc-files.js';

/** Frames per read at most: 64 KiB. */
const READ_FRAMES = 8192;
/** Reading 16 words more costs about as much as one more system call. */
const MAX_GAP = 16;

/** Bits of kpageflags that a capture uses (include/uapi/linux/kernel-page-flags.h). */
export const KPF = {
  locked: 0x00000001,
  referenced: 0x00000004,
  dirty: 0x00000010,
  lru: 0x00000020,
  active: 0x00000040,
  writeback: 0x00000100,
  buddy: 0x00000400,
  anon: 0x00001000,
  swapCache: 0x00002000,
  swapBacked: 0x00004000,
  compoundHead: 0x00008000,
  compoundTail: 0x00010000,
  huge: 0x00020000,
  unevictable: 0x00040000,
  hwpoison: 0x00080000,
  nopage: 0x00100000,
  ksm: 0x00200000,
  thp: 0x00400000,
  zeroPage: 0x01000000,
  idle: 0x02000000,
  // Bits of our own in the low half, whose bits 30 and 31 the kernel does not use. The kernel's KPF_MLOCKED is bit 33.
  mlocked: 0x40000000,
} as const;

const HIGH_MLOCKED = 1 << 1;

/** The flags of {@link PageFlag} for a word of kpageflags as {@link readKpageFlags} gives it. */
export function pageFlagsOf(kpf: number): number {
  let flags = 0;
  if ((kpf & KPF.lru) !== 0) flags |= PageFlag.lru;
  if ((kpf & KPF.locked) !== 0) flags |= PageFlag.locked;
  if ((kpf & KPF.referenced) !== 0) flags |= PageFlag.referenced;
  if ((kpf & KPF.active) !== 0) flags |= PageFlag.active;
  if ((kpf & KPF.mlocked) !== 0) flags |= PageFlag.mlocked;
  if ((kpf & KPF.swapBacked) !== 0) flags |= PageFlag.swapBacked;
  if ((kpf & KPF.writeback) !== 0) flags |= PageFlag.writeback;
  if ((kpf & KPF.unevictable) !== 0) flags |= PageFlag.unevictable;
  if ((kpf & KPF.dirty) !== 0) flags |= PageFlag.dirty;
  if ((kpf & KPF.swapCache) !== 0) flags |= PageFlag.swapCache;
  if ((kpf & KPF.hwpoison) !== 0) flags |= PageFlag.hwpoison;
  if ((kpf & KPF.idle) !== 0) flags |= PageFlag.idle;
  return flags;
}

/** Reads one of the two files for many frames. */
export class KpageReader {
  readonly #file: ReadOnlyFile;
  readonly #bytes: Uint8Array = new Uint8Array(READ_FRAMES * 8);
  readonly #words: Int32Array = new Int32Array(this.#bytes.buffer);

  constructor(file: ReadOnlyFile) {
    this.#file = file;
  }

  /**
   * Reads the words of `frames[from..]` with one system call and hands each to `visit(index, low, high)`. Frames beyond the end of
   * the file (memory that was removed) get zeros.
   *
   * @param frames ascending frame numbers.
   * @returns the index of the first frame that was not read.
   */
  readRun(frames: Uint32Array, from: number, visit: (index: number, low: number, high: number) => void): number {
    const first = frames[from];
    let to = from + 1;
    while (to < frames.length && frames[to] - frames[to - 1] <= MAX_GAP && frames[to] - first < READ_FRAMES) to++;
    const wanted = frames[to - 1] - first + 1;
    const got = this.#file.readAt(this.#bytes, wanted * 8, first * 8) / 8;
    const words = this.#words;
    for (let index = from; index < to; index++) {
      const at = frames[index] - first;
      if (at < got) visit(index, words[2 * at], words[2 * at + 1]);
      else visit(index, 0, 0);
    }
    return to;
  }

  /** Reads the words of the `count` (at most 8192) frames from `first` on, as kpf words, into `out`; missing ones are 0. */
  readBlock(first: number, count: number, out: Int32Array): void {
    const got = this.#file.readAt(this.#bytes, count * 8, first * 8) / 8;
    for (let i = 0; i < count; i++) out[i] = i < got ? kpfWord(this.#words[2 * i], this.#words[2 * i + 1]) : 0;
  }
}

/** One word with what a capture needs of both halves of a kpageflags entry. */
export function kpfWord(low: number, high: number): number {
  return (low & ~KPF.mlocked) | ((high & HIGH_MLOCKED) !== 0 ? KPF.mlocked : 0);
}
