/** Which addresses a target has: the three ranges of a process, and fitting regions to new ranges (DAMON spec 1.8). */
import { alignDown, alignUp } from '../arithmetic.js';
import { type AddressRange, appendRegion, destroyRegion, insertRegion } from './regions.js';
import type { DamonStore } from './store.js';

/** The two largest holes between mapped ranges, the earlier one first where sizes are equal. */
function largestHoles(mapped: Iterable<AddressRange>): [AddressRange, AddressRange] {
  const none: AddressRange = { start: 0, end: 0 };
  let first = none;
  let second = none;
  let before: AddressRange | undefined;
  for (const range of mapped) {
    if (before !== undefined) {
      const hole = { start: before.end, end: range.start };
      if (length(hole) > length(first)) {
        second = first;
        first = hole;
      } else if (length(hole) > length(second)) second = hole;
    }
    before = range;
  }
  return [first, second];
}

function length({ start, end }: AddressRange): number {
  return end - start;
}

/**
 * The three ranges that a process uses, told apart by the two largest holes between its VMAs (`__damon_va_three_regions`):
 * usually heap, mapped files and memory, stack. Undefined if there are not two holes.
 *
 * @param mapped the VMAs, ascending
 */
export function threeRegions(mapped: readonly AddressRange[], minRegionSize: number): AddressRange[] | undefined {
  const holes = largestHoles(mapped);
  if (holes.some((hole) => length(hole) === 0)) return undefined;
  const [low, high] = holes[0].start > holes[1].start ? [holes[1], holes[0]] : holes;
  const up = (address: number): number => alignUp(address, minRegionSize);
  const { start } = mapped[0] as AddressRange;
  const { end } = mapped[mapped.length - 1] as AddressRange;
  return [
    { start: up(start), end: up(low.start) },
    { start: up(low.end), end: up(high.start) },
    { start: up(high.end), end: up(end) },
  ];
}

/**
 * Fits a target's regions to new ranges, ascending; what survives keeps its counters (`damon_set_regions`). A range without
 * a region gets a new one; otherwise the first and last region in it are stretched to its ends, and holes are filled.
 */
export function setRegions(
  d: DamonStore,
  target: number,
  ranges: readonly AddressRange[],
  minRegionSize: number,
): void {
  const r = d.t.damonRegion;
  for (const region of d.regions.rows(target)) {
    const stays = ranges.some((range) => r.start[region] < range.end && range.start < r.end[region]);
    if (!stays) destroyRegion(d, target, region);
  }
  let at = d.regions.first(target);
  for (const range of ranges) {
    let first = 0;
    let last = 0;
    for (; at !== 0; at = d.regions.next(at)) {
      if (r.start[at] < range.end && range.start < r.end[at]) {
        if (first === 0) first = at;
        last = at;
      }
      if (r.start[at] >= range.end) break;
    }
    const start = alignDown(range.start, minRegionSize);
    const end = alignUp(range.end, minRegionSize);
    if (first === 0) {
      if (at === 0) appendRegion(d, target, start, end);
      else insertRegion(d, target, d.regions.prev(at), start, end);
    } else {
      r.start[first] = start;
      r.end[last] = end;
      fillHoles(d, target, first, last);
    }
  }
}

function fillHoles(d: DamonStore, target: number, first: number, last: number): void {
  const r = d.t.damonRegion;
  for (let at = first; at !== last; ) {
    const next = d.regions.next(at);
    if (r.end[at] !== r.start[next]) insertRegion(d, target, at, r.end[at], r.start[next]);
    at = next;
  }
}
