import { SCAN, scanResultText } from '@thplab/mthp-collapse';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBits } from './bitmap.js';
import { editDistance, nearest, suggest } from './did-you-mean.js';
import { OUTCOME_NAMES, parseOutcome } from './outcomes.js';
import { parseRuns } from './schema-atoms.js';

describe('editDistance', () => {
  it('counts insertions, deletions, replacements and swaps of neighbours', () => {
    expect(editDistance('populate', 'populte', 5)).toBe(1);
    expect(editDistance('seed', 'sede', 5)).toBe(1);
    expect(editDistance('kitten', 'sitting', 5)).toBe(3);
  });

  it('is a symmetric distance, and says limit + 1 for everything farther', () => {
    const word = fc.string({ maxLength: 12 });
    fc.assert(
      fc.property(word, word, fc.integer({ min: 0, max: 6 }), (a, b, limit) => {
        const full = editDistance(a, b, 100);
        expect(editDistance(b, a, 100)).toBe(full);
        expect(full === 0).toBe(a === b);
        expect(editDistance(a, b, limit)).toBe(full <= limit ? full : limit + 1);
      }),
    );
  });
});

describe('suggestions', () => {
  it('overlook case and separators', () => {
    expect(nearest('page_size', ['pages', 'pageSize', 'pmdOrder'])).toBe('pageSize');
    expect(nearest('khugepaged/max-ptes-none', ['khugepaged/max_ptes_none'])).toBe('khugepaged/max_ptes_none');
  });

  it('list the choices when nothing is near', () => {
    expect(suggest('banana', ['missing', 'wp'])).toBe('one of "missing", "wp"');
    expect(suggest('misisng', ['missing', 'wp'])).toBe('did you mean "missing"?');
  });
});

describe('parseOutcome', () => {
  it('knows every scan result of every generation by its trace text and by its name', () => {
    for (const [name, code] of Object.entries(SCAN)) {
      const outcome = { kind: 'result', result: scanResultText(code) };
      expect(parseOutcome(scanResultText(code))).toEqual(outcome);
      expect(parseOutcome(name.toLowerCase())).toEqual(outcome);
    }
    expect(OUTCOME_NAMES).toContain('not_suitable_page_count');
  });

  it('reads collapsed with and without a size', () => {
    expect(parseOutcome('collapsed')).toEqual({ kind: 'collapsed', size: null });
    expect(parseOutcome('collapsed 64K')).toEqual({ kind: 'collapsed', size: 65536 });
    expect(parseOutcome('collapsed to 2M')).toEqual({ kind: 'collapsed', size: 2 ** 21 });
    expect(parseOutcome('not_scanned')).toEqual({ kind: 'result', result: 'not_scanned' });
  });
});

describe('page lists and bitmaps', () => {
  it('page lists are the kernel cpulist form, both ends included', () => {
    expect(parseRuns('0-511, 600')).toEqual([
      { first: 0, count: 512 },
      { first: 600, count: 1 },
    ]);
    expect(parseRuns('8-15:2/4,100-102:2/2')).toEqual([
      { first: 8, count: 2 },
      { first: 12, count: 2 },
      { first: 100, count: 2 },
      { first: 102, count: 1 },
    ]);
    expect(['0-7:0/4', '0-7:5/4', '0-7:1/0', '7:1/2', '0-999999:1/2'].map(parseRuns)).toEqual(Array(5).fill(null));
    expect(['', '5-3', 'a', '1-', '-1', '1,,2', '99999999999'].map(parseRuns)).toEqual(Array(7).fill(null));
  });

  it('0b is read left to right, first page first', () => {
    expect(parseBits('0b0110_1111')).toEqual([
      { first: 1, count: 2 },
      { first: 4, count: 4 },
    ]);
  });

  it('hexadecimal and base64 hold the lowest page in the lowest bit of the first byte', () => {
    expect(parseBits('0xff00')).toEqual([{ first: 0, count: 8 }]);
    expect(parseBits('0x01ff')).toEqual([
      { first: 0, count: 1 },
      { first: 8, count: 8 },
    ]);
  });

  it('all three forms of one bitmap give the same runs', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (bytes) => {
        const hex = parseBits(`0x${Buffer.from(bytes).toString('hex')}`);
        const bits = [...bytes].flatMap((byte) => Array.from({ length: 8 }, (_, i) => (byte >> i) & 1));
        expect(hex).not.toBeNull();
        expect(parseBits(`base64:${Buffer.from(bytes).toString('base64')}`)).toEqual(hex);
        expect(parseBits(`0b${bits.join('')}`)).toEqual(hex);
        expect(hex?.reduce((sum, run) => sum + run.count, 0)).toBe(bits.filter((bit) => bit === 1).length);
      }),
    );
  });

  it('a bitmap of more than 8192 bits is refused', () => {
    expect(parseBits(`0x${'ff'.repeat(1024)}`)).toEqual([{ first: 0, count: 8192 }]);
    expect(parseBits(`0x${'ff'.repeat(1025)}`)).toBeNull();
    expect(['0xf', 'ff', 'xyz', '0b', 'base64:', 'base64:abc'].map(parseBits)).toEqual(Array(6).fill(null));
  });
});
