import { Random } from '@thplab/arena';
import { createOccupancy, type Occupancy } from '../bitmap.js';

/**
 * How the present entries of a generated table lie: each by chance; in runs; in aligned blocks of 4 to 64 that are nearly full
 * or nearly empty; or each table in one of these ways in turn.
 */
export const TABLE_PATTERNS = ['random', 'runs', 'blocks', 'mixed'] as const;
export type TablePattern = (typeof TABLE_PATTERNS)[number];

/** A table of 2^pmdOrder entries, the `index`th of a seed: the same for the same arguments, whatever else is made. */
export function patternTable(
  pmdOrder: number,
  pattern: TablePattern,
  density: number | null,
  seed: number,
  index: number,
): Occupancy {
  const random = new Random(seed, index);
  const share = density ?? random.fraction();
  switch (pattern) {
    case 'random':
      return fill(pmdOrder, () => random.fraction() < share);
    case 'runs':
      return runs(pmdOrder, share, random);
    case 'blocks':
      return blocks(pmdOrder, share, random);
    case 'mixed':
      return patternTable(pmdOrder, TABLE_PATTERNS[index % 3] ?? 'random', share, seed, index);
  }
}

function fill(pmdOrder: number, isPresent: (entry: number) => boolean): Occupancy {
  const bitmap = createOccupancy(pmdOrder);
  for (let i = 0; i < 1 << pmdOrder; i++) if (isPresent(i)) bitmap[i >>> 5] |= 1 << (i & 31);
  return bitmap;
}

/** Runs of present and of empty entries, 24 long on average before the end of the table cuts them. */
function runs(pmdOrder: number, share: number, random: Random): Occupancy {
  let left = 0;
  let present = false;
  return fill(pmdOrder, () => {
    if (left === 0) {
      present = random.fraction() < share;
      left = 1 + random.below(47);
    }
    left -= 1;
    return present;
  });
}

/** Aligned blocks; one in two of the full ones lacks an entry here and there, and of the empty ones has one. */
function blocks(pmdOrder: number, share: number, random: Random): Occupancy {
  let end = 0;
  let chance = 0;
  return fill(pmdOrder, (entry) => {
    if (entry === end) {
      const order = Math.min(pmdOrder, 2 + random.below(5), entry === 0 ? pmdOrder : 31 - Math.clz32(entry & -entry));
      end = entry + (1 << order);
      const isFull = random.fraction() < share;
      const flaw = random.below(2) * 0.06;
      chance = isFull ? 1 - flaw : flaw;
    }
    return random.fraction() < chance;
  });
}
