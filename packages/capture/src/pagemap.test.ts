import { describe, expect, it } from 'vitest';
import { PageFlag, PageKind } from './page-kind.js';
import { entryFlags, entryKind, entryPfn, isCertainlyCounted, isEntry } from './pagemap.js';
import type { VmaKind } from './snapshot.js';

const bit = (n: number): bigint => 1n << BigInt(n);
const PRESENT = bit(63);
const SWAP = bit(62);
const FILE = bit(61);
const GUARD = bit(58);
const UFFD_WP = bit(57);
const EXCLUSIVE = bit(56);
const SOFT_DIRTY = bit(55);

function halves(entry: bigint): [low: number, high: number] {
  return [Number(BigInt.asIntN(32, entry)), Number(BigInt.asIntN(32, entry >> 32n))];
}

function kind(entry: bigint, vma: VmaKind = 'anon', hasSwap = true): number {
  return entryKind(...halves(entry), vma, hasSwap);
}

const swapEntry = (type: number, offset: number): bigint => SWAP | BigInt(type) | (BigInt(offset) << 5n);

describe('pagemap entries', () => {
  it('are none when neither present nor swapped, even if soft-dirty', () => {
    expect([0n, SOFT_DIRTY, FILE].map((entry) => isEntry(halves(entry)[1]))).toEqual([false, false, false]);
  });

  it('are entries when only the present bit is left (frame hidden)', () => {
    expect(isEntry(halves(PRESENT)[1])).toBe(true);
  });

  it('tell present pages by the file bit and the kind of the VMA', () => {
    expect(kind(PRESENT | 5n)).toBe(PageKind.anon);
    expect(kind(PRESENT | FILE | 5n, 'file')).toBe(PageKind.file);
    expect(kind(PRESENT | EXCLUSIVE | 5n, 'file')).toBe(PageKind.anon);
    expect(kind(PRESENT | FILE | 5n, 'shmem')).toBe(PageKind.shmem);
    expect(kind(PRESENT | FILE | 5n, 'hugetlb')).toBe(PageKind.hugetlb);
    expect(kind(PRESENT, 'special')).toBe(PageKind.special);
  });

  it('tell swap from markers and other entries by the swap type', () => {
    expect(kind(swapEntry(0, 77))).toBe(PageKind.swap);
    expect(kind(swapEntry(31, 1))).toBe(PageKind.marker);
    expect(kind(swapEntry(29, 1))).toBe(PageKind.nonswap);
    expect(kind(swapEntry(31, 4) | GUARD)).toBe(PageKind.guard);
  });

  it('with the type hidden, are swap only where smaps counts swap', () => {
    expect(kind(SWAP, 'anon', true)).toBe(PageKind.swap);
    expect(kind(SWAP, 'anon', false)).toBe(PageKind.marker);
    expect(kind(SWAP | GUARD, 'anon', true)).toBe(PageKind.guard);
  });

  it('give the frame of present entries only, up to 32 bits', () => {
    expect(entryPfn(...halves(PRESENT | 0xfedcba98n))).toBe(0xfedcba98);
    expect(entryPfn(...halves(swapEntry(0, 77)))).toBe(0);
    expect(entryPfn(...halves(PRESENT | bit(33)))).toBe(0);
  });

  it('give their three flags', () => {
    expect(entryFlags(halves(PRESENT | EXCLUSIVE | UFFD_WP | SOFT_DIRTY)[1])).toBe(
      PageFlag.exclusive | PageFlag.uffdWp | PageFlag.softDirty,
    );
    expect(entryFlags(halves(PRESENT)[1])).toBe(0);
  });

  it('certainly count in Rss or Swap unless they could be zero pages, or are guards', () => {
    const entries = [PRESENT | EXCLUSIVE, PRESENT | FILE, SWAP, PRESENT, SWAP | GUARD];
    expect(entries.map((entry) => isCertainlyCounted(halves(entry)[1]))).toEqual([true, true, true, false, false]);
  });
});
