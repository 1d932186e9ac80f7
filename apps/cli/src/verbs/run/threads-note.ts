/** What threads did in a run, and whether its result could differ from that of one thread in anything. */
import { formatCount } from '@thplab/scenario';
import type { ThreadsRun } from '@thplab/scenario/threads';

/** Why a pass had no part for them, in words. */
const REASONS: Readonly<Record<string, string>> = {
  hints: 'the kernel has collapse hints, whose order is not known ahead',
  'failing allocations': 'allocations were made to fail by number',
  busy: 'others ran at the same time',
  memory: 'memory might have run short',
  small: 'a pass had too few ranges of more than one family of processes',
  accesses: 'accesses of a workload are made when somebody looks',
  fruitless: 'few of the ranges could be collapsed',
};

export function threadsNote({ ahead, repeated, result }: ThreadsRun, threads: number): string {
  const who = threads === 1 ? '1 thread' : `${threads} threads`;
  if (repeated) {
    return `memory ran short after ${who} had worked ahead: run again without threads, so that the result is that of one`;
  }
  if (ahead === undefined)
    return `${who} had nothing to do: DAMON looks every few ms; the result is that of one thread`;
  const { plans, ranges, without } = ahead;
  if (plans === 0) {
    const [why] = Object.entries(without).sort((a, b) => b[1] - a[1])[0] ?? ['none'];
    const reason = REASONS[why] ?? 'khugepaged did not run';
    return `${who} had nothing to do: ${reason}; the result is that of one thread`;
  }
  const all = Math.max(ranges, result.khugepaged.rangesScanned);
  const did = `${who} worked ahead on ${formatCount(ranges)} of ${formatCount(all)} ranges`;
  if (result.end.partial) return `${did}; some of them may be in the memory figures before their time`;
  return `${did}; the result is that of one thread, except for which frames are free (free blocks, fragmentation)`;
}
