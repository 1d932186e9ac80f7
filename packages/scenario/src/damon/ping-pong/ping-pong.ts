/**
 * What DAMOS splits and what builds it again: the book of one run, and the machinery of the designs that stand between the
 * two (designs.ts).
 */
import type { SplitGuard } from '@thplab/damos-actions';
import { MADV, type MmId, madvise, type Vpn } from '@thplab/mm-model';
import type { World } from '../../run/world.js';
import { type PingPongDesign, pingPongDesign } from './designs.js';

/** A block that was split at least once. */
interface SplitBlock {
  /** When it was split last, ns. */
  splitNs: number;
  splits: number;
  /** khugepaged passes it by until then. */
  coolUntilNs: number;
  /** It was built again since. */
  built: boolean;
}

/** Sums of a run. */
export interface PingPongSums {
  readonly design: string;
  /** Folios that DAMOS split, and those that it could not. */
  readonly splits: number;
  readonly failures: number;
  /** Splits of blocks that had been split before. */
  readonly splitAgain: number;
  /** Collapses of blocks that had been split, and those of them within `withinNs` of the split. */
  readonly recollapses: number;
  readonly recollapsesSoon: number;
  readonly withinNs: number;
  /** Bytes that those collapses built, most of which they copied. */
  readonly recollapsedBytes: number;
}

/** Soon: a minute. */
const WITHIN_NS = 60e9;
const MM_FACTOR = 2 ** 36;

/** See the head of the file. */
export class PingPong {
  readonly #world: () => World;
  readonly #design: PingPongDesign | undefined;
  readonly #blocks = new Map<number, SplitBlock>();
  #failures = 0;
  #splits = 0;
  #splitAgain = 0;
  #recollapses = 0;
  #soon = 0;

  constructor(design: string | null, world: () => World) {
    this.#design = design === null ? undefined : pingPongDesign(design);
    this.#world = world;
  }

  /** Connects it with the machine, once that is there. */
  attach(): void {
    const world = this.#world();
    const { built } = world.log;
    world.log.built = (mm, page, order) => {
      built?.(mm, page, order);
      if (order === world.m.pmdOrder) this.#built(mm, page);
    };
    if (this.#design?.coolDown) world.k.skips = (mm, page) => this.#isCool(mm, page);
  }

  /** Beside the split action of every kdamond. */
  readonly guard: SplitGuard = {
    before: (mm, page) => this.#before(mm, page),
    after: (mm, page, split) => this.#after(mm, page, split),
  };

  get sums(): PingPongSums {
    const { m } = this.#world();
    return {
      design: this.#design?.name ?? 'none',
      splits: this.#splits,
      failures: this.#failures,
      splitAgain: this.#splitAgain,
      recollapses: this.#recollapses,
      recollapsesSoon: this.#soon,
      withinNs: WITHIN_NS,
      recollapsedBytes: this.#recollapses * m.ptes * 2 ** m.geometry.pageShift,
    };
  }

  *#before(mm: MmId, page: Vpn): ReturnType<NonNullable<SplitGuard['before']>> {
    const { m } = this.#world();
    if (this.#design?.nohugepage) yield* madvise(m, mm, page, m.ptes, MADV.NOHUGEPAGE);
    return true;
  }

  #after(mm: MmId, page: Vpn, split: boolean): void {
    if (!split) {
      this.#failures++;
      return;
    }
    const key = this.#key(mm, page);
    const known = this.#blocks.get(key);
    const splits = (known?.splits ?? 0) + 1;
    const nowNs = this.#world().executor.current.nowNs;
    this.#splits++;
    if (splits > 1) this.#splitAgain++;
    this.#blocks.set(key, { splitNs: nowNs, splits, coolUntilNs: nowNs + this.#coolNs(splits), built: false });
  }

  #coolNs(splits: number): number {
    const coolDown = this.#design?.coolDown;
    if (!coolDown) return 0;
    return Math.min(coolDown.mostNs, coolDown.firstNs * coolDown.factor ** (splits - 1));
  }

  #isCool(mm: MmId, page: Vpn): boolean {
    const block = this.#blocks.get(this.#key(mm, page));
    return block !== undefined && this.#world().executor.current.nowNs < block.coolUntilNs;
  }

  #built(mm: MmId, page: Vpn): void {
    const block = this.#blocks.get(this.#key(mm, page));
    if (block === undefined || block.built) return;
    block.built = true;
    this.#recollapses++;
    if (this.#world().executor.current.nowNs - block.splitNs <= WITHIN_NS) this.#soon++;
  }

  #key(mm: MmId, page: Vpn): number {
    return mm * MM_FACTOR + Math.floor(page / this.#world().m.ptes);
  }
}
