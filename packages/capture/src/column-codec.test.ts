import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeDifferences,
  decodePlanes16,
  decodeRuns,
  encodeDifferences,
  encodePlanes16,
  encodeRuns,
} from './column-codec.js';
import { SnapshotError } from './errors.js';

const u32 = fc.oneof(
  fc.integer({ min: 0, max: 0xffffffff }),
  fc.constantFrom(0, 1, 0x7fffffff, 0x80000000, 0xffffffff),
);

describe('column codecs', () => {
  it('give 32-bit values back', () => {
    fc.assert(
      fc.property(fc.array(u32), (values) => {
        const column = Uint32Array.from(values);
        expect(decodeDifferences(encodeDifferences(column), column.length)).toEqual(column);
      }),
    );
  });

  it('give 16-bit values back', () => {
    fc.assert(
      fc.property(fc.uint16Array(), (column) => {
        expect(decodePlanes16(encodePlanes16(column), column.length)).toEqual(column);
      }),
    );
  });

  it('give ascending page numbers back, up to the end of a 57-bit address space', () => {
    const gap = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 2 ** 40 }));
    fc.assert(
      fc.property(fc.array(gap), (gaps) => {
        let next = 0;
        const column = Float64Array.from(gaps, (skip) => {
          next += skip + 1;
          return next - 1;
        });
        expect(decodeRuns(encodeRuns(column), column.length)).toEqual(column);
      }),
    );
  });

  it('store a full gibibyte of pages in a few bytes', () => {
    const column = Float64Array.from({ length: 262_144 }, (_, index) => 0x7f0000000 + index);
    expect(encodeRuns(column).length).toBeLessThan(10);
  });
});

describe('decodeRuns refuses', () => {
  it.each<[string, number[], number]>([
    ['a number that is cut off', [0x80], 1],
    ['a number that never ends', Array.from({ length: 20 }, () => 0xff), 1],
    ['an empty run', [0, 0], 0],
    ['more pages than announced', [0, 5], 4],
    ['fewer pages than announced', [0, 5], 6],
    ['a run without a length', [3], 1],
  ])('%s', (_name, bytes, rows) => {
    expect(() => decodeRuns(Uint8Array.from(bytes), rows)).toThrow(SnapshotError);
  });
});
