/**
 * Zipf's law over pages: rank r is used in proportion to 1 / r^s. The ranks of a block of the page table follow each
 * other, as the hot pages of a heap lie together; which block has which ranks is chosen at random, or by address.
 *
 * Sums over ranks are exact for the first ones, and integrals behind (the midpoint rule is off by less than 1e-8 there),
 * so a terabyte needs no table of its pages.
 */
import { Random } from '@thplab/arena';
import type { PageGroup, Pattern, PatternRange } from './patterns.js';

/** Ranks whose sums are exact. */
const EXACT = 4096;
const HIGHEST_BUCKET = 63;

/** See the head of the file. */
export function zipfPattern(range: PatternRange, exponent: number, scattered: boolean, seed: number): Pattern {
  const { start, pages, ptes } = range;
  const lead = start % ptes;
  const blocks = Math.ceil((lead + pages) / ptes);
  const order = scattered ? shuffled(blocks, seed) : null;
  const inverse = order === null ? null : invert(order);
  const law = new ZipfLaw(exponent, blocks * ptes);
  // The ends of the range need not be whole blocks: ranks of pages outside are never used.
  const rankOf = (page: number): number => {
    const at = lead + page;
    const block = Math.floor(at / ptes);
    return (order === null ? block : order[block]) * ptes + (at % ptes);
  };
  const pageOfRank = (rank: number): number => {
    const block = Math.floor(rank / ptes);
    return (inverse === null ? block : inverse[block]) * ptes + (rank % ptes) - lead;
  };
  const weight = (from: number, to: number): number => {
    const rank = rankOf(from);
    return law.sum(rank, rank + (to - from));
  };
  let total = 0;
  for (let page = 0; page < pages; page = Math.min(pages, page + ptes - ((lead + page) % ptes))) {
    total += weight(page, Math.min(pages, page + ptes - ((lead + page) % ptes)));
  }
  return {
    pageOf(_turn, random) {
      for (;;) {
        const page = pageOfRank(law.draw(random));
        if (page >= 0 && page < pages) return page;
      }
    },
    share: (from, to) => weight(from, to) / total,
    groups(from, to) {
      const groups: PageGroup[] = [];
      const end = rankOf(from) + (to - from);
      for (let rank = rankOf(from); rank < end; ) {
        const bucket = Math.min(HIGHEST_BUCKET, Math.floor(Math.log2(rank + 1)));
        const next = Math.min(end, 2 ** (bucket + 1) - 1);
        groups.push({ bucket, pages: next - rank, share: law.sum(rank, next) / total });
        rank = next;
      }
      return groups;
    },
    isUsed: () => true,
    sweep: null,
  };
}

/** Sums of 1 / (rank + 1)^s, and draws by them. */
class ZipfLaw {
  readonly #exponent: number;
  readonly #ranks: number;
  /** Sum of the ranks below, for the first ones. */
  readonly #exact: Float64Array;

  constructor(exponent: number, ranks: number) {
    this.#exponent = exponent;
    this.#ranks = ranks;
    this.#exact = new Float64Array(Math.min(EXACT, ranks) + 1);
    for (let rank = 0; rank + 1 < this.#exact.length; rank++) {
      this.#exact[rank + 1] = this.#exact[rank] + (rank + 1) ** -exponent;
    }
  }

  /** Sum over ranks from `from` to `to - 1`. */
  sum(from: number, to: number): number {
    return this.#below(to) - this.#below(from);
  }

  #below(rank: number): number {
    const last = this.#exact.length - 1;
    if (rank <= last) return this.#exact[rank];
    return this.#exact[last] + this.#integral(rank + 0.5) - this.#integral(last + 0.5);
  }

  #integral(x: number): number {
    const s = this.#exponent;
    return s === 1 ? Math.log(x) : x ** (1 - s) / (1 - s);
  }

  draw(random: Random): number {
    const target = random.fraction() * this.#below(this.#ranks);
    const last = this.#exact.length - 1;
    if (target < this.#exact[last]) {
      let low = 0;
      let high = last;
      while (low + 1 < high) {
        const middle = (low + high) >> 1;
        if (this.#exact[middle] <= target) low = middle;
        else high = middle;
      }
      return low;
    }
    const s = this.#exponent;
    const area = target - this.#exact[last] + this.#integral(last + 0.5);
    const x = s === 1 ? Math.exp(area) : (area * (1 - s)) ** (1 / (1 - s));
    return Math.min(this.#ranks - 1, Math.max(last, Math.floor(x - 0.5)));
  }
}

function shuffled(count: number, seed: number): Uint32Array {
  const random = new Random(seed, 0x21bf);
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

function invert(order: Uint32Array): Uint32Array {
  const inverse = new Uint32Array(order.length);
  for (let i = 0; i < order.length; i++) inverse[order[i]] = i;
  return inverse;
}
