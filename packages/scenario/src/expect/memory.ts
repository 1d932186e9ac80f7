/** Expectations about memory in use. */
import type { Bound, MemoryExpectation } from '../format/index.js';
import { formatSize } from '../format/index.js';
import { type Census, countRange, emptyCensus } from '../report/census.js';
import { freePages } from '../report/counters.js';
import { rssPages } from '../report/process-result.js';
import type { World } from '../run/world.js';
import { type Judged, judgeNumber } from './judged.js';
import { rangesOf, subjectText } from './ranges.js';

/** One row per quantity that is expected. */
export function judgeMemory(world: World, one: MemoryExpectation): Judged[] {
  const { pageSize } = world.scenario.machine;
  const pages = one.vma === null ? processPages(world, one.process) : rangePages(world, one);
  const who = subjectText(one.process, one.vma);
  const row = (what: string, bound: Bound | null, actual: number): Judged[] =>
    bound === null ? [] : [judgeNumber(one.key, `${who}: ${what}`, bound, actual * pageSize, formatSize)];
  return [
    ...row('rss', one.rss, pages.rss),
    ...row('huge', one.anonHuge, pages.huge),
    ...row('swap', one.swap, pages.swap),
    ...row('free memory', one.free, freePages(world.m)),
  ];
}

function processPages(world: World, name: string | null): { rss: number; huge: number; swap: number } {
  const { m } = world;
  const sum = { rss: 0, huge: 0, swap: 0 };
  for (const { mm } of world.processes.named(name)) {
    sum.rss += rssPages(world, mm);
    sum.huge += m.mm.anonThps[mm] * m.ptes;
    sum.swap += m.mm.swapEnts[mm];
  }
  return sum;
}

function rangePages(world: World, one: MemoryExpectation): { rss: number; huge: number; swap: number } {
  const census: Census = emptyCensus(world.m);
  for (const { process, range } of rangesOf(world, one.process, one.vma)) {
    countRange(world.m, process.mm, range.start, range.start + range.pages, census);
  }
  return { rss: census.resident, huge: census.huge, swap: census.swap };
}
