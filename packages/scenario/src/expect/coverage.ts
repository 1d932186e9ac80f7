/** Expectations about how much is mapped by huge pages, or by folios of a size. */
import type { CoverageExpectation } from '../format/index.js';
import { formatShare, formatSize } from '../format/index.js';
import { countRange, emptyCensus } from '../report/census.js';
import { share } from '../report/process-result.js';
import type { World } from '../run/world.js';
import { type Judged, judgeNumber } from './judged.js';
import { memoryOf, subjectText } from './ranges.js';

/** One row per share that is expected. */
export function judgeCoverage(world: World, one: CoverageExpectation): Judged[] {
  const { m } = world;
  const census = emptyCensus(m);
  for (const { process, range } of memoryOf(world, one.process, one.vma)) {
    countRange(m, process.mm, range.start, range.start + range.pages, census);
  }
  const whole = one.of === 'size' ? census.pages : census.resident;
  const who = subjectText(one.process, one.vma);
  const percent = (value: number): string => formatShare(value);
  const huge =
    one.huge === null ? [] : [judgeNumber(one.key, `${who}: huge`, one.huge, share(census.huge, whole), percent)];
  const sizes = one.sizes.map(({ size, share: bound }) => {
    const order = Math.log2(size / world.scenario.machine.pageSize);
    const actual = share(census.byOrder[order] ?? 0, whole);
    return judgeNumber(one.key, `${who}: in folios of ${formatSize(size)}`, bound, actual, percent);
  });
  return [...huge, ...sizes];
}
