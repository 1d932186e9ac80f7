/** What must hold whenever nothing is under way. */
import { checkMachine, type Pfn, VM } from '@thplab/mm-model';
import { type CachedPage, contentsOf, type Expectation, observe, type PageFacts, SHOWN_FLAGS } from './expectation.js';
import { readAddressSpace, type SeenPage } from './page-reader.js';
import type { World } from './world.js';

/** All address spaces as they are mapped now, by process. */
export type SeenProcesses = ReadonlyMap<number, ReadonlyMap<number, SeenPage>>;

/** A rule was broken; the message has one line for each page or count that is wrong. */
export class StressFailure extends Error {
  override readonly name: string = 'StressFailure';
}

/** Checks everything, and lets the expectation learn what was left open. Gives what was seen. */
export function verify(w: World, deep: boolean): SeenProcesses {
  const wrong: string[] = [];
  const seen = new Map<number, ReadonlyMap<number, SeenPage>>();
  const cache = readPageCache(w);
  for (const process of w.expected.processes) {
    const pages = readAddressSpace(w.rig.m, process.mm);
    seen.set(process.id, pages);
    checkVmas(w, process.id, wrong);
    checkPages(w.expected, process.id, pages, cache, wrong);
  }
  checkPins(w.expected, seen, cache, wrong);
  checkWritable(w, seen, wrong);
  if (deep) {
    wrong.push(...checkMachine(w.rig.m, { pins: w.expected.pins.map((pin) => pin.pfn as Pfn), held: w.hogged }));
  }
  if (wrong.length > 0) throw new StressFailure(wrong.slice(0, 12).join('\n'));
  return seen;
}

/** The VMAs cover exactly the pages that are mapped, with the flags that the process asked for. */
function checkVmas(w: World, id: number, wrong: string[]): void {
  const { m } = w.rig;
  const { mm, pages } = w.expected.process(id);
  let covered = 0;
  let end = 0;
  for (let vma = m.mm.vmaFirst[mm]; vma !== 0; vma = m.vma.next[vma]) {
    const start = m.vma.start[vma];
    if (start < end) wrong.push(`process ${id}: the VMA at ${start} overlaps the one below`);
    end = m.vma.end[vma];
    const flags = m.vma.flags[vma] & SHOWN_FLAGS;
    for (let page = start; page < end; page++) {
      const facts = pages.get(page);
      if (facts === undefined) wrong.push(`process ${id}: page ${page} should not be mapped`);
      else if (facts.flags !== flags)
        wrong.push(`process ${id}: page ${page} has ${flagDifference(facts.flags, flags)}`);
    }
    covered += end - start;
  }
  if (covered !== pages.size) wrong.push(`process ${id}: ${covered} pages lie in VMAs instead of ${pages.size}`);
}

function flagDifference(wanted: number, found: number): string {
  return `VMA flags ${found.toString(16)} instead of ${wanted.toString(16)}`;
}

function checkPages(
  expected: Expectation,
  id: number,
  seen: ReadonlyMap<number, SeenPage>,
  cache: ReadonlyMap<number, CachedPage>,
  wrong: string[],
): void {
  const { pages } = expected.process(id);
  const learnt: [number, PageFacts][] = [];
  for (const [page, facts] of pages) {
    const entry = seen.get(page);
    const cached = facts.shared === undefined ? undefined : cache.get(cacheKey(facts.shared.row, facts.shared.index));
    const next = observe(facts, contentsOf(expected, facts), entry, cached);
    if (typeof next === 'string') wrong.push(`process ${id}: page ${page} ${next}${found(entry)}`);
    else if (next !== facts) learnt.push([page, expected.setContent(next, next.values[0])]);
  }
  for (const page of seen.keys())
    if (!pages.has(page)) wrong.push(`process ${id}: page ${page} is in no VMA, but mapped`);
  for (const [page, facts] of learnt) pages.set(page, facts);
}

function cacheKey(row: number, index: number): number {
  return row * 2 ** 32 + index;
}

/** All pages of shared objects that are in memory. */
function readPageCache(w: World): ReadonlyMap<number, CachedPage> {
  const { m } = w.rig;
  const pages = new Map<number, CachedPage>();
  if (m.machine.pageCachePages[0] === 0) return pages;
  m.pageCache.file.forEach((row, place) => {
    const frame = m.pageCache.pfn[place];
    if (row !== 0) pages.set(cacheKey(row, m.pageCache.index[place]), { frame, content: m.frame.stamp[frame] });
  });
  return pages;
}

function found(seen: SeenPage | undefined): string {
  return seen === undefined ? ' (empty)' : ` (${seen.huge ? 'huge ' : ''}${seen.kind} ${seen.where})`;
}

/**
 * A pinned page stays the page that the process maps there. One of a shared object may be mapped no longer, when its huge
 * mapping was cut; then it is still the object's.
 */
function checkPins(
  expected: Expectation,
  seen: SeenProcesses,
  cache: ReadonlyMap<number, CachedPage>,
  wrong: string[],
): void {
  for (const { pfn, process, page } of expected.pins) {
    if (process === 0) continue;
    const now = seen.get(process)?.get(page);
    if (now?.kind === 'page' && now.where === pfn) continue;
    if (now === undefined && [...cache.values()].some(({ frame }) => frame === pfn)) continue;
    wrong.push(`process ${process}: page ${page} is pinned at frame ${pfn}, but is another page now${found(now)}`);
  }
}

/** Entries that let the process write are allowed to, and private memory that can be written to is mapped once. */
function checkWritable(w: World, seen: SeenProcesses, wrong: string[]): void {
  const maps = new Map<number, number>();
  const writable: [number, number, number][] = [];
  for (const [id, pages] of seen) {
    for (const [page, entry] of pages) {
      if (entry.kind !== 'page') continue;
      maps.set(entry.where, (maps.get(entry.where) ?? 0) + 1);
      if (!entry.writable) continue;
      const facts = w.expected.page(id, page);
      const flags = facts?.flags ?? 0;
      if (facts?.shared === undefined) writable.push([id, page, entry.where]);
      if (entry.wp) wrong.push(`process ${id}: page ${page} is writable in spite of userfaultfd${found(entry)}`);
      if ((flags & VM.WRITE) === 0)
        wrong.push(`process ${id}: page ${page} is writable, its VMA is not${found(entry)}`);
    }
  }
  for (const [id, page, frame] of writable) {
    if (maps.get(frame) !== 1)
      wrong.push(`process ${id}: page ${page} is writable, and frame ${frame} mapped elsewhere too`);
  }
}
