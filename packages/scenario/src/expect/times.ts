/** Expectations about time: of faults, of the run, of khugepaged. */
import { Histogram } from '@thplab/sync';
import {
  type Bound,
  formatDuration,
  formatShare,
  type StallExpectation,
  type TimeExpectation,
} from '../format/index.js';
import type { World } from '../run/world.js';
import { type Judged, judgeNumber } from './judged.js';

/** Up to three rows on the time that faults took. */
export function judgeStall(world: World, one: StallExpectation): Judged[] {
  const times = new Histogram();
  for (const process of one.process === null ? world.processes.all : world.processes.everNamed(one.process)) {
    times.merge(process.faultNs);
  }
  const who = one.process ?? 'all processes';
  const row = (what: string, bound: Bound | null, actual: number): Judged[] =>
    bound === null ? [] : [judgeNumber(one.key, `${who}: ${what} fault`, bound, actual, formatDuration)];
  return [
    ...row('worst', one.worst, times.max),
    ...row('p99', one.p99, times.quantile(0.99)),
    ...row('median', one.median, times.quantile(0.5)),
  ];
}

/** Up to three rows on the end of the run and on khugepaged's work. */
export function judgeTime(world: World, one: TimeExpectation, atNs: number): Judged[] {
  const { cpuNs } = world.threads;
  const row = (what: string, bound: Bound | null, actual: number, format: (value: number) => string): Judged[] =>
    bound === null ? [] : [judgeNumber(one.key, what, bound, actual, format)];
  return [
    ...row('end of the run', one.end, atNs, formatDuration),
    ...row("khugepaged's processor time", one.khugepagedCpu, cpuNs, formatDuration),
    ...row("khugepaged's share of a processor", one.khugepagedShare, atNs === 0 ? 0 : cpuNs / atNs, (share) =>
      formatShare(share),
    ),
  ];
}
