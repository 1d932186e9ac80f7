/**
 * Cases by chance: up to four mappings, page states in runs, some calls, and collapses of ranges that fit and that do not.
 * A case is named by its seed and number alone.
 */
import { type Case, RANGE, type Rights, type Span, type Step } from '../case.js';
import {
  advise,
  collapse,
  end,
  fork,
  lock,
  map,
  pin,
  protect,
  read,
  uffd,
  unlock,
  unmap,
  unpin,
  unwp,
  wp,
  write,
} from '../cases/build.js';
import { Chance } from './chance.js';

/** Ranges that a case lives in; what is moved away goes to the same number behind them. */
const RANGES = 5;
const SPACE = RANGES * RANGE;

/** Case `index` of `seed`. */
export function randomCase(seed: number, index: number): Case {
  return { name: `random/${seed}:${index}`, steps: new Maker(new Chance(seed, index)).steps() };
}

class Maker {
  private readonly chance: Chance;
  private readonly made: Step[] = [];
  private readonly mappings: Span[] = [];
  private children = 0;
  private readonly gone = new Set<number>();
  private armed = false;
  private pinned = false;

  constructor(chance: Chance) {
    this.chance = chance;
  }

  steps(): Step[] {
    const { chance } = this;
    for (let i = 1 + chance.below(4); i > 0; i--) this.mapping();
    for (let i = chance.below(7); i > 0; i--) this.call();
    for (let i = 1 + chance.below(3); i > 0; i--) this.collapse();
    if (chance.oneIn(3)) {
      for (let i = 1 + chance.below(3); i > 0; i--) this.call();
      this.collapse();
    }
    return this.made;
  }

  private add(...steps: Step[]): void {
    this.made.push(...steps);
  }

  /** A mapping, often of whole ranges, with runs of written and read pages. */
  private mapping(): void {
    const { chance } = this;
    const whole = !chance.oneIn(4);
    const at = whole ? chance.below(RANGES) * RANGE : chance.below(SPACE - 1);
    const most = SPACE - at;
    const pages = whole ? Math.min(most, (1 + chance.below(3)) * RANGE) : 1 + chance.below(most);
    const rights: Rights = chance.weighted([
      [8, 'rw'],
      [1, 'rwx'],
    ]);
    const flags = chance.weighted<readonly ('GROWSDOWN' | 'NORESERVE' | 'STACK')[]>([
      [12, []],
      [1, ['NORESERVE']],
      [1, ['STACK']],
    ]);
    this.add(map(at, pages, { ...(rights === 'rw' ? {} : { rights }), ...(flags.length === 0 ? {} : { flags }) }));
    const span = { at, pages };
    this.mappings.push(span);
    if (chance.oneIn(4)) this.add(advise('HUGEPAGE', at, pages));
    this.fill(span);
  }

  /** Page states in runs. */
  private fill(span: Span): void {
    const { chance } = this;
    const style = chance.below(4);
    if (style === 0) this.add(write(span.at, span.pages));
    for (let i = style === 0 ? chance.below(2) : chance.below(5); i > 0; i--) {
      const { at, pages } = this.part(span);
      this.add(chance.oneIn(3) ? read(at, pages) : write(at, pages));
    }
  }

  /** A part of a span: all of it, a whole range, or a run of any length, mostly short. */
  private part(span: Span): Span {
    const { chance } = this;
    const kind = chance.below(6);
    if (kind === 0) return span;
    if (kind === 1 && span.pages >= RANGE) {
      const at = Math.ceil(span.at / RANGE) * RANGE;
      if (at + RANGE <= span.at + span.pages) return { at, pages: RANGE };
    }
    const offset = chance.below(span.pages);
    const most = span.pages - offset;
    const pages = kind < 4 ? 1 + chance.below(Math.min(most, 40)) : 1 + chance.below(most);
    return { at: span.at + offset, pages };
  }

  /** A span within a mapping, seldom anywhere. */
  private anywhere(): Span {
    const { chance } = this;
    return this.part(chance.oneIn(8) ? { at: 0, pages: SPACE } : chance.pick(this.mappings));
  }

  private call(): void {
    const { chance } = this;
    const span = this.anywhere();
    const { at, pages } = span;
    const make = chance.weighted<() => void>([
      [3, () => this.add(write(at, pages))],
      [2, () => this.add(read(at, pages))],
      [3, () => this.add(protect(at, pages, chance.pick(['r', 'rw', 'none', 'rx'] as const)))],
      [2, () => this.add(unmap(at, pages))],
      [3, () => this.add(advise('DONTNEED', at, pages))],
      [2, () => this.add(advise('FREE', at, pages))],
      [2, () => this.add(advise(chance.pick(['COLD', 'PAGEOUT'] as const), at, pages))],
      [2, () => this.add(advise(chance.pick(['HUGEPAGE', 'NOHUGEPAGE'] as const), at, pages))],
      [1, () => this.add(advise(chance.pick(['DONTFORK', 'WIPEONFORK', 'MERGEABLE', 'NORMAL'] as const), at, pages))],
      [1, () => this.add(advise(chance.pick(['POPULATE_READ', 'POPULATE_WRITE'] as const), at, pages))],
      [2, () => this.add(lock(at, pages))],
      [1, () => this.add(unlock(at, pages))],
      [3, () => this.add(advise('GUARD_INSTALL', at, Math.min(pages, 9)))],
      [1, () => this.add(advise('GUARD_REMOVE', at, pages))],
      [3, () => this.fork()],
      [2, () => this.childWrites(span)],
      [1, () => this.endChild()],
      [3, () => this.pin(at)],
      [1, () => this.unpin()],
      [2, () => this.arm(span)],
      [2, () => this.protectByUffd(span)],
      [1, () => this.disarm()],
      [3, () => this.move(span)],
      [2, () => this.add(collapse(Math.floor(at / RANGE) * RANGE, RANGE))],
    ]);
    make();
  }

  private living(): number[] {
    return Array.from({ length: this.children }, (_, i) => i + 1).filter((child) => !this.gone.has(child));
  }

  private fork(): void {
    if (this.children >= 2) return;
    this.children++;
    this.add(fork);
  }

  private childWrites({ at, pages }: Span): void {
    const living = this.living();
    if (living.length === 0) this.fork();
    else this.add(write(at, pages, this.chance.pick(living)));
  }

  private endChild(): void {
    const living = this.living();
    if (living.length === 0) return;
    const child = this.chance.pick(living);
    this.gone.add(child);
    this.add(end(child));
  }

  private pin(at: number): void {
    this.pinned = true;
    this.add(pin(at, this.chance.oneIn(4) ? 2 : 1));
  }

  private unpin(): void {
    if (this.pinned) this.add(unpin);
    this.pinned = false;
  }

  private arm(span: Span): void {
    this.armed = true;
    this.add(uffd(span.at, span.pages, this.chance.pick(['missing', 'wp', 'missing+wp'] as const)));
  }

  private protectByUffd(span: Span): void {
    if (!this.armed) this.arm(span);
    this.add(this.chance.oneIn(4) ? unwp(span.at, span.pages) : wp(span.at, span.pages));
  }

  private disarm(): void {
    if (!this.armed) return;
    this.armed = false;
    this.add({ do: 'uffdClose' });
  }

  private move(span: Span): void {
    const { chance } = this;
    const behind = SPACE + (chance.oneIn(2) ? span.at : chance.below(SPACE));
    const to = chance.oneIn(4) ? chance.below(SPACE) : behind;
    if (to < span.at + span.pages && span.at < to + span.pages) return;
    this.add({ do: 'move', ...span, to, ...(chance.oneIn(6) ? { dontUnmap: true } : {}) });
    this.mappings.push({ at: to, pages: span.pages });
  }

  private collapse(): void {
    const { chance } = this;
    const living = this.living();
    const who = living.length > 0 && chance.oneIn(4) ? chance.pick(living) : 0;
    const kind = chance.below(5);
    const range = { at: chance.below(RANGES) * RANGE, pages: RANGE };
    const span = [{ at: 0, pages: SPACE }, range, this.anywhere()][kind] ?? chance.pick(this.mappings);
    this.add(collapse(span.at, span.pages, who));
  }
}
