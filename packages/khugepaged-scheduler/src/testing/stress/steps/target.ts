/**
 * Which process and pages an action is done to. Actions carry plain numbers; what they mean is looked up when their turn
 * comes, so that a list of steps still makes sense after some of them were left out.
 */
import type { MmId, Vpn } from '@thplab/mm-model';
import fc from 'fast-check';
import type { Expectation, PageFacts, ProcessFacts } from '../expectation.js';
import type { World } from '../world.js';

/** A process, by its place among those that live. */
export interface ProcessChoice {
  readonly process: number;
}

/** A page, by its place among those that the process has mapped. */
export interface PageChoice extends ProcessChoice {
  readonly page: number;
}

/** A range that begins at a mapped page. */
export interface RangeChoice extends PageChoice {
  /** Eighths of a PMD range. */
  readonly eighths: number;
  /** Where both ends are rounded to: `down` and up to PMD ranges, or nothing. */
  readonly aligned: boolean;
}

/** A range of pages of a process. */
export interface Target {
  readonly id: number;
  readonly mm: MmId;
  readonly pages: ReadonlyMap<number, PageFacts>;
  readonly start: Vpn;
  readonly end: Vpn;
}

const process: fc.Arbitrary<number> = fc.constantFrom(0, 0, 0, 1, 1, 2, 3);
// The first pages more often, so that steps meet.
const page: fc.Arbitrary<number> = fc.oneof(fc.nat(15), fc.nat(199));

export const anyProcess: fc.Arbitrary<ProcessChoice> = fc.record({ process });
export const anyPage: fc.Arbitrary<PageChoice> = fc.record({ process, page });
export const anyRange: fc.Arbitrary<RangeChoice> = fc.record({
  process,
  page,
  eighths: fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 8 }) },
    { weight: 4, arbitrary: fc.integer({ min: 9, max: 32 }) },
  ),
  aligned: fc.constantFrom(true, true, false),
});

/** First page of the area that steps map memory in, and its length in PMD ranges. */
export function areaStart(w: World): number {
  return 8 * w.rig.m.ptes;
}

/** PMD ranges of the area: few where they are large. */
export function areaBlocks(w: World): number {
  return w.rig.m.pmdOrder > 5 ? 3 : 16;
}

/** Most pages that a process has mapped. */
export function pageLimit(w: World): number {
  return areaBlocks(w) * w.rig.m.ptes;
}

/** The process; there is always one. */
export function chooseProcess(w: World, choice: ProcessChoice): ProcessFacts {
  const { processes } = w.expected;
  return processes[choice.process % processes.length] as ProcessFacts;
}

/** One page. A process without memory gets an address where nothing is mapped. */
export function choosePage(w: World, choice: PageChoice): Target {
  const { id, mm, pages } = chooseProcess(w, choice);
  const start = nth(w, pages, choice.page);
  return { id, mm, pages, start, end: (start + 1) as Vpn };
}

/** A range that begins in mapped memory. It may have holes, and may reach beyond what is mapped. */
export function chooseRange(w: World, choice: RangeChoice): Target {
  const { ptes } = w.rig.m;
  const { id, mm, pages } = chooseProcess(w, choice);
  const at = nth(w, pages, choice.page);
  const length = Math.max(1, (choice.eighths * ptes) >> 3);
  if (!choice.aligned) return { id, mm, pages, start: at, end: (at + length) as Vpn };
  const start = at - (at % ptes);
  return { id, mm, pages, start: start as Vpn, end: (start + Math.ceil(length / ptes) * ptes) as Vpn };
}

function nth(w: World, pages: ReadonlyMap<number, PageFacts>, n: number): Vpn {
  if (pages.size === 0) return (areaStart(w) + n) as Vpn;
  // Of large areas the pages near the ends of tables are the interesting ones.
  let left = (w.rig.m.pmdOrder > 5 ? n * 37 : n) % pages.size;
  for (const at of [...pages.keys()].sort((a, b) => a - b)) if (left-- === 0) return at as Vpn;
  return areaStart(w) as Vpn;
}

/** First page of the range that is not mapped; its end if all is. */
export function firstHole(expected: Expectation, target: Target): number {
  const { pages } = expected.process(target.id);
  for (let at = target.start as number; at < target.end; at++) if (!pages.has(at)) return at;
  return target.end;
}

/** The process and range in words. */
export function rangeText(choice: RangeChoice): string {
  return `process ${choice.process}, page ${choice.page}, ${choice.eighths}/8${choice.aligned ? ', aligned' : ''}`;
}
