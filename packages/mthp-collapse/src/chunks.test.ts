import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ChooseWindowsInput, chooseWindows } from './choice/choose-windows.js';
import { chunkOccupancy } from './chunks.js';
import { v4 } from './generations/v4.js';
import { SCAN, type ScanResult, scanResultName } from './results.js';

/** Entries of 8 as text: x occupied, s swapped, . empty; the bits of its chunks as text, first chunk first. */
function chunks(rule: 'lastEntry' | 'precedingChunk', table: string, maxPtesNone: number, chunkOrder: number): string {
  const bits = (sign: string): Uint32Array =>
    Uint32Array.of([...table].reduce((word, entry, index) => (entry === sign ? word | (1 << index) : word), 0));
  const pmdOrder = Math.log2(table.length);
  const input = { occupied: bits('x'), empty: bits('.'), maxPtesNone, pmdOrder, chunkOrder };
  const word = chunkOccupancy(rule, input)[0];
  return [...Array(2 ** (pmdOrder - chunkOrder)).keys()].map((k) => ((word >> k) & 1 ? '1' : '0')).join('');
}

function windows(input: ChooseWindowsInput): string[] {
  return chooseWindows(input).attempts.map(({ offset, order }) => `${offset}@${order}`);
}

describe('chunks of RFC v2', () => {
  it('are never set when max_ptes_none is 0, however full the table', () => {
    expect(chunks('lastEntry', 'xxxxxxxxxxxxxxxx', 0, 3)).toBe('00');
  });

  it('are set by an occupied last entry and fewer empty entries than the scaled limit', () => {
    expect(chunks('lastEntry', 'x.xxxxxxxxxxxxxx', 2, 3)).toBe('01');
    expect(chunks('lastEntry', 'x.xxxxxxxxxxxxxx', 4, 3)).toBe('11');
    expect(chunks('lastEntry', 'xxxxxxx.xxxxxxxx', 14, 3)).toBe('01');
    expect(chunks('lastEntry', 'xxxxxxxsssssxxxx', 14, 3)).toBe('01');
  });
});

describe('chunks of v4', () => {
  it('are one off: the first bit is always set, the last chunk is never represented', () => {
    expect(chunks('precedingChunk', '........', 0, 2)).toBe('10');
    expect(chunks('precedingChunk', 'xxxx....', 0, 2)).toBe('11');
    expect(chunks('precedingChunk', '....xxxx', 0, 2)).toBe('10');
  });

  it('count swapped entries neither as empty nor as occupied', () => {
    expect(chunks('precedingChunk', 'ssss....', 0, 2)).toBe('11');
    expect(chunks('precedingChunk', 'sss.....', 0, 2)).toBe('10');
  });
});

describe('RFC v2', () => {
  const full = { generation: 'rfc-v2', present: [[0, 512]] } as const;

  it('attempts nothing at max_ptes_none 0, unless an order is set to always', () => {
    const settings = { maxPtesNone: 0 };
    expect(windows({ ...full, enabledOrders: [3, 4, 9], settings })).toEqual([]);
    expect(windows({ ...full, enabledOrders: [3, 4, 9], alwaysOrders: [9], settings })).toEqual(['0@9']);
  });

  it('needs one chunk of any window at max_ptes_none 511, and two entries of it, the last one included', () => {
    const sparse = { generation: 'rfc-v2', enabledOrders: [3, 6], settings: { maxPtesNone: 511 } } as const;
    expect(windows({ ...sparse, present: [[70, 72]] })).toEqual(['64@6']);
    expect(windows({ ...sparse, present: [[71, 72]] })).toEqual([]);
    expect(windows({ ...sparse, present: [[64, 71]] })).toEqual([]);
  });

  it('does not build order 2, and tries smaller windows after any failure', () => {
    const attempt = (): ScanResult => SCAN.VMA_CHECK;
    const input = { ...full, enabledOrders: [2, 3, 9], attempt } as const;
    expect(windows(input)).toHaveLength(1 + 64);
    expect(chooseWindows(input).result).toBe('FAIL');
  });

  it('lets MADV_COLLAPSE go down the orders', () => {
    const attempt = ({ order }: { order: number }): ScanResult => (order === 9 ? SCAN.PAGE_COUNT : SCAN.SUCCEED);
    const input = { ...full, enabledOrders: [], initiator: 'madvise', attempt } as const;
    expect(windows(input)).toEqual(['0@9', '0@8', '256@8']);
  });
});

describe('v4', () => {
  it('attempts the PMD order whatever its occupancy when it is enabled alone', () => {
    expect(windows({ generation: v4, present: [], enabledOrders: [9], settings: { maxPtesNone: 0 } })).toEqual(['0@9']);
  });

  it('attempts the window behind the full one, because bits are one chunk off', () => {
    const input = { generation: v4, enabledOrders: [2], settings: { maxPtesNone: 0 } } as const;
    expect(windows({ ...input, present: [[8, 12]] })).toEqual(['0@2', '12@2']);
  });

  it('goes on after its own list of results only', () => {
    const lower = (Object.values(SCAN) as ScanResult[]).filter((result) => v4.effects[result] === 'retryLower');
    expect(lower.map(scanResultName).sort()).toEqual(
      [
        'ALLOC_HUGE_PAGE_FAIL',
        'CGROUP_CHARGE_FAIL',
        'COPY_MC',
        'EXCEED_NONE_PTE',
        'EXCEED_SHARED_PTE',
        'EXCEED_SWAP_PTE',
        'PAGE_COUNT',
        'PAGE_LOCK',
        'PTE_NON_PRESENT',
        'PTE_UFFD_WP',
      ].sort(),
    );
    expect(v4.effects[SCAN.LACK_REFERENCED_PAGE]).toBe('stop');
    expect(v4.effects[SCAN.PTE_MAPPED_HUGEPAGE]).toBe('stop');
  });
});

describe('a chunk bitmap', () => {
  it('has the bits that counting each chunk by itself gives', () => {
    const sizes = fc.constantFrom([9, 3], [9, 2], [4, 2], [3, 3]);
    fc.assert(
      fc.property(
        sizes,
        fc.infiniteStream(fc.constantFrom('x', 'x', 'x', '.', 's')),
        fc.nat(511),
        (size, stream, m) => {
          const [pmdOrder, chunkOrder] = size;
          const [entries, length] = [2 ** pmdOrder, 2 ** chunkOrder];
          const table = [...stream.take(entries)];
          const maxPtesNone = m % entries;
          const limit = Math.floor(maxPtesNone / 2 ** (pmdOrder - chunkOrder));
          const words = (sign: string): Uint32Array => {
            const bitmap = new Uint32Array(Math.max(1, entries / 32));
            for (const [i, entry] of table.entries()) if (entry === sign) bitmap[i >> 5] |= 1 << (i & 31);
            return bitmap;
          };
          const input = { occupied: words('x'), empty: words('.'), maxPtesNone, pmdOrder, chunkOrder };
          const [late, early] = [chunkOccupancy('lastEntry', input), chunkOccupancy('precedingChunk', input)];
          for (let k = 0; k < entries / length; k++) {
            const emptyIn = (chunk: number): number =>
              table.slice(Math.max(0, chunk * length), (chunk + 1) * length).filter((entry) => entry === '.').length;
            const bit = (bitmap: Uint32Array): boolean => ((bitmap[k >> 5] >> (k & 31)) & 1) === 1;
            expect(bit(late)).toBe(table[(k + 1) * length - 1] === 'x' && emptyIn(k) < limit);
            expect(bit(early)).toBe(k === 0 || emptyIn(k - 1) <= limit);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
