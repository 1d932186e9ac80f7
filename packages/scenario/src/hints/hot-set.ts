/**
 * What is hot, and when it became huge. Hot pages are what a scenario says, or else what its access events and workloads
 * touch, or else what a captured process had in use; they are counted by PMD range, whole ranges of the VMAs only, because others can never be huge. Filled when the
 * run begins: processes that are born later are cold.
 */
import { asBrand, countBits } from '@thplab/arena';
import { findPmd, NO_PMD, PMD, PMD_YOUNG, pmdTable, pmdType, pteBit, type Vpn } from '@thplab/mm-model';
import type { Run, Scenario } from '../format/index.js';
import { countHugeBlocks } from '../report/huge-blocks.js';
import { patternRuns } from '../run/patterns.js';
import type { PageSpan, Process } from '../run/process-table.js';
import { randomFor } from '../run/seeds.js';
import type { World } from '../run/world.js';

/** Shares of the hot bytes whose time is told. */
export const HOT_SHARES = [0.5, 0.9, 0.99] as const;

const HALF = 0.5;

interface HotRange {
  readonly process: Process;
  readonly hotPages: number;
  /** Pages of it in large folios, at most `hotPages`. */
  covered: number;
  /** A collapse by khugepaged built something here. */
  built: boolean;
}

/** Page numbers of an address space stay below this. */
const MM_FACTOR = 2 ** 36;

/** See the head of the file. */
export class HotSet {
  /** When so much was huge, by HOT_SHARES; null: not yet. */
  readonly reachedNs: (number | null)[] = HOT_SHARES.map(() => null);
  /** Base pages in folios that were built in hot and in cold ranges. */
  readonly built: { hot: number; cold: number } = { hot: 0, cold: 0 };
  /** Hot ranges in which something was built. */
  usefulRanges = 0;
  hotPages = 0;
  coveredPages = 0;
  /** Hot pages of each process, how many are covered, and since when half are. */
  readonly processes: Map<Process, { pages: number; covered: number; halfNs: number | null }> = new Map();
  readonly #ranges = new Map<number, HotRange>();
  readonly #ptes: number;

  constructor(world: World) {
    this.#ptes = world.m.ptes;
    const claims = hotPagesOf(world);
    for (const { process, block, pages } of claims.values()) {
      this.#ranges.set(this.#key(process.mm, block * this.#ptes), {
        process,
        hotPages: pages,
        covered: 0,
        built: false,
      });
      this.hotPages += pages;
      this.#of(process).pages += pages;
    }
    for (const [key, range] of this.#ranges) {
      const page = (key % MM_FACTOR) * this.#ptes;
      if (countHugeBlocks(world.m, range.process.mm, page, page + this.#ptes) > 0) this.#cover(range, this.#ptes, 0);
    }
  }

  /** Share of the hot pages that is huge; 1 if nothing is hot. */
  get share(): number {
    return this.hotPages === 0 ? 1 : this.coveredPages / this.hotPages;
  }

  /** True if the range that a page lies in has hot pages. */
  isHot(mm: number, page: number): boolean {
    return this.#at(mm, page) !== undefined;
  }

  /** A folio of so many pages was built at a page. */
  collapsed(mm: number, page: number, pages: number, nowNs: number): void {
    const range = this.#at(mm, page);
    if (range === undefined) {
      this.built.cold += pages;
      return;
    }
    this.built.hot += pages;
    if (!range.built) this.usefulRanges++;
    range.built = true;
    this.#cover(range, pages, nowNs);
  }

  /** A fault has left a huge mapping at a page. */
  faultedHuge(mm: number, page: number, nowNs: number): void {
    const range = this.#at(mm, page);
    if (range !== undefined) this.#cover(range, this.#ptes, nowNs);
  }

  #cover(range: HotRange, pages: number, nowNs: number): void {
    // A whole table covers every hot page of it, smaller folios at most as many as they hold.
    const covered = pages === this.#ptes ? range.hotPages : Math.min(range.hotPages, range.covered + pages);
    this.coveredPages += covered - range.covered;
    const own = this.#of(range.process);
    own.covered += covered - range.covered;
    if (own.covered >= HALF * own.pages) own.halfNs ??= nowNs;
    range.covered = covered;
    for (const [i, share] of HOT_SHARES.entries()) {
      if (this.coveredPages >= share * this.hotPages) this.reachedNs[i] ??= nowNs;
    }
  }

  #of(process: Process): { pages: number; covered: number; halfNs: number | null } {
    let own = this.processes.get(process);
    if (own === undefined) {
      own = { pages: 0, covered: 0, halfNs: null };
      this.processes.set(process, own);
    }
    return own;
  }

  /** The number of an address space may be another one's by now. */
  #at(mm: number, page: number): HotRange | undefined {
    const range = this.#ranges.get(this.#key(mm, page));
    return range?.process.exitNs === null ? range : undefined;
  }

  #key(mm: number, page: number): number {
    return mm * MM_FACTOR + Math.floor(page / this.#ptes);
  }
}

interface Claim {
  readonly process: Process;
  readonly block: number;
  pages: number;
}

/** Hot pages by process and range; a page that several patterns name counts once for each, up to the whole range. */
function hotPagesOf(world: World): Map<string, Claim> {
  const { m, scenario, processes } = world;
  const claims = new Map<string, Claim>();
  for (const { key, span, pages } of hotSpecs(scenario)) {
    for (const one of processes.spans(span)) {
      const random = randomFor(scenario.seed, `${key}@${one.process.name}`, 'seed' in pages ? pages.seed : null);
      for (const run of wholeRuns(one, patternRuns(pages, { ...one, ptes: m.ptes }, random), m.ptes)) {
        for (let page = run.first; page < run.first + run.count; ) {
          const block = Math.floor(page / m.ptes);
          const end = Math.min(run.first + run.count, (block + 1) * m.ptes);
          claimPages(claims, one.process, block, end - page, m.ptes);
          page = end;
        }
      }
    }
  }
  for (const process of inUseAtStart(world)) claimYoung(world, claims, process);
  return claims;
}

function claimPages(claims: Map<string, Claim>, process: Process, block: number, pages: number, ptes: number): void {
  const name = `${process.name}:${block}`;
  const claim = claims.get(name) ?? { process, block, pages: 0 };
  claim.pages = Math.min(ptes, claim.pages + pages);
  claims.set(name, claim);
}

/** Processes whose accessed bits at the start say what is hot: as workloads of heat do, and captures where nothing else does. */
function inUseAtStart({ scenario, processes }: World): readonly Process[] {
  if (scenario.hints !== null && scenario.hints.hot.length > 0) return [];
  const heat = scenario.workload.flatMap(({ parts }) => parts.filter(({ source }) => source.kind === 'heat'));
  const captured = scenario.processes.filter(({ snapshot }) => snapshot !== null);
  const silent = hotSpecs(scenario).length === 0 && heat.length === 0;
  const names = silent ? captured.map(({ name }) => name) : heat.map(({ span }) => span.process);
  return [...new Set(names.flatMap((name) => processes.named(name)))];
}

/** Pages of a process whose accessed bit is set. */
function claimYoung({ m }: World, claims: Map<string, Claim>, process: Process): void {
  for (const { start, pages } of process.vmas.values()) {
    for (let page = Math.ceil(start / m.ptes) * m.ptes; page + m.ptes <= start + pages; page += m.ptes) {
      const pmd = findPmd(m, process.mm, asBrand<Vpn>(page));
      const entry = pmd === NO_PMD ? 0 : m.directory.entry[pmd];
      let young = 0;
      if (pmdType(entry) === PMD.huge) young = (entry & PMD_YOUNG) === 0 ? 0 : m.ptes;
      else if (pmdType(entry) === PMD.table) {
        const first = pteBit(m, pmdTable(entry), 0);
        young = countBits(m.pte.young, first, first + m.ptes);
      }
      if (young > 0) claimPages(claims, process, page / m.ptes, young, m.ptes);
    }
  }
}

function hotSpecs({
  hints,
  events,
  workload,
}: Scenario): readonly Pick<NonNullable<Scenario['hints']>['hot'][number], 'key' | 'span' | 'pages'>[] {
  if (hints !== null && hints.hot.length > 0) return hints.hot;
  const accesses = events.flatMap(({ key, action }) =>
    action.kind === 'access' ? [{ key: `${key}#0`, span: action.span, pages: action.pages }] : [],
  );
  const full = { kind: 'full' } as const;
  const parts = workload.flatMap((one) =>
    one.parts
      .filter(({ span, source }) => span.vma !== null && source.kind !== 'heat')
      .map(({ key, span }) => ({ key, span, pages: full })),
  );
  return [...accesses, ...parts];
}

/** Runs as absolute pages, within the whole PMD ranges of the VMA that the span lies in. */
function* wholeRuns(span: PageSpan, runs: Iterable<Run>, ptes: number): Generator<Run, void, undefined> {
  const vma = [...span.process.vmas.values()].find(
    ({ start, pages }) => span.start >= start && span.start < start + pages,
  );
  if (vma === undefined) return;
  const from = Math.ceil(vma.start / ptes) * ptes;
  const to = Math.floor((vma.start + vma.pages) / ptes) * ptes;
  for (const { first, count } of runs) {
    const start = Math.max(from, span.start + first);
    const end = Math.min(to, span.start + first + count);
    if (end > start) yield { first: start, count: end - start };
  }
}
