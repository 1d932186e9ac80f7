import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as bits from './bits.js';

const WORDS = 5;
const BITS = WORDS * 32;

const plane = fc.array(fc.boolean(), { minLength: BITS, maxLength: BITS });
const place = fc.nat({ max: BITS - 1 });
const range = fc
  .tuple(fc.nat({ max: BITS }), fc.nat({ max: BITS }))
  .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

function pack(flags: readonly boolean[]): Uint32Array {
  const words = new Uint32Array(WORDS);
  flags.forEach((flag, i) => {
    if (flag) words[i >> 5] = words[i >> 5] + 2 ** (i % 32);
  });
  return words;
}

const unpack = (words: Uint32Array): boolean[] =>
  Array.from({ length: BITS }, (_, i) => Math.floor(words[i >> 5] / 2 ** (i % 32)) % 2 === 1);

describe('bit planes', () => {
  it('count, test and find as an array of booleans does', () => {
    fc.assert(
      fc.property(plane, range, place, (flags, [from, to], i) => {
        const words = pack(flags);
        const inside = flags.map((flag, at) => flag && at >= from && at < to);
        expect(bits.countBits(words, from, to)).toBe(inside.filter(Boolean).length);
        expect(bits.findBit(words, from, to)).toBe(inside.indexOf(true));
        expect(bits.findLastBit(words, from, to)).toBe(inside.lastIndexOf(true));
        expect(bits.getBit(words, i)).toBe(flags[i]);
        expect(unpack(words)).toEqual(flags);
      }),
    );
  });

  it('set and clear single bits and ranges, and nothing beside them', () => {
    fc.assert(
      fc.property(plane, range, place, (flags, [from, to], i) => {
        const changed = (change: (words: Uint32Array) => void) => {
          const words = pack(flags);
          change(words);
          return unpack(words);
        };
        const within = (at: number) => at >= from && at < to;
        expect(changed((w) => bits.setBit(w, i))).toEqual(flags.with(i, true));
        expect(changed((w) => bits.clearBit(w, i))).toEqual(flags.with(i, false));
        expect(changed((w) => bits.setBits(w, from, to))).toEqual(flags.map((flag, at) => flag || within(at)));
        expect(changed((w) => bits.clearBits(w, from, to))).toEqual(flags.map((flag, at) => flag && !within(at)));
      }),
    );
  });

  it('set and clear bits atomically and tell what was there', () => {
    fc.assert(
      fc.property(plane, place, (flags, i) => {
        const words = new Uint32Array(new SharedArrayBuffer(WORDS * 4));
        words.set(pack(flags));
        expect(bits.setBitAtomic(words, i)).toBe(flags[i]);
        expect(bits.setBitAtomic(words, i)).toBe(true);
        expect(unpack(words)).toEqual(flags.with(i, true));
        expect(bits.clearBitAtomic(words, i)).toBe(true);
        expect(bits.clearBitAtomic(words, i)).toBe(false);
        expect(unpack(words)).toEqual(flags.with(i, false));
      }),
    );
  });

  it('find nothing in an empty or reversed range', () => {
    const words = new Uint32Array(WORDS).fill(0xffff_ffff);
    for (const [from, to] of [
      [0, 0],
      [64, 64],
      [40, 3],
    ] as const) {
      expect([
        bits.findBit(words, from, to),
        bits.findLastBit(words, from, to),
        bits.countBits(words, from, to),
      ]).toEqual([-1, -1, 0]);
    }
  });

  it('count the bits of any word', () => {
    fc.assert(
      fc.property(fc.integer(), (word) => {
        expect(bits.popcount32(word)).toBe((word >>> 0).toString(2).replaceAll('0', '').length);
        expect(bits.popcount32(word >>> 0)).toBe(bits.popcount32(word));
      }),
    );
  });

  it('start each row at a word of its own', () => {
    expect([8, 32, 33, 512].map((slots) => bits.wordsPerRow(slots))).toEqual([1, 1, 2, 16]);
    expect([8, 32, 33, 512].map((slots) => bits.planeStart(3, slots))).toEqual([96, 96, 192, 1536]);
  });
});
