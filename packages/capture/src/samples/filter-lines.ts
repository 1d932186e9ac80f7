/** Ranges as the filters of a scheme: lines for a root shell, or arguments of damo (DAMON spec 5.1 stage 7, 6.1, 8.1). */
import type { CandidateRange } from './candidates.js';

/** The scheme that the ranges are for. */
export interface SchemeForRanges {
  readonly pid: number;
  /** What is done to them: split (to 2^targetOrder pages), or any action of DAMOS. */
  readonly action: string;
  readonly targetOrder: number;
  readonly pageSize: number;
}

const KDAMONDS = '/sys/kernel/mm/damon/admin/kdamonds';
const CONTEXT = `${KDAMONDS}/0/contexts/0`;
const SCHEME = `${CONTEXT}/schemes/0`;
const TIB = 2 ** 40;

/** Lines for a root shell that set up and start one kdamond with one scheme. Nothing is run here. */
export function sysfsLines(ranges: readonly CandidateRange[], scheme: SchemeForRanges): string[] {
  const writes: [path: string, value: string | number][] = [
    [`${KDAMONDS}/nr_kdamonds`, 1],
    [`${KDAMONDS}/0/contexts/nr_contexts`, 1],
    [`${CONTEXT}/operations`, 'vaddr'],
    [`${CONTEXT}/targets/nr_targets`, 1],
    [`${CONTEXT}/targets/0/pid_target`, scheme.pid],
    [`${CONTEXT}/schemes/nr_schemes`, 1],
    [`${SCHEME}/action`, scheme.action],
    ...(scheme.action === 'split' ? ([[`${SCHEME}/target_order`, scheme.targetOrder]] as [string, number][]) : []),
    [`${SCHEME}/access_pattern/sz/min`, 4096],
    [`${SCHEME}/access_pattern/sz/max`, TIB],
    [`${SCHEME}/access_pattern/nr_accesses/min`, 0],
    [`${SCHEME}/access_pattern/nr_accesses/max`, 1000],
    [`${SCHEME}/access_pattern/age/min`, 0],
    [`${SCHEME}/access_pattern/age/max`, 2 ** 20],
    [`${SCHEME}/filters/nr_filters`, ranges.length],
  ];
  ranges.forEach((range, at) => {
    const filter = `${SCHEME}/filters/${at}`;
    writes.push(
      [`${filter}/type`, 'addr'],
      [`${filter}/matching`, 'Y'],
      [`${filter}/allow`, 'Y'],
      [`${filter}/addr_start`, range.startPage * scheme.pageSize],
      [`${filter}/addr_end`, range.endPage * scheme.pageSize],
    );
  });
  writes.push([`${KDAMONDS}/0/state`, 'on']);
  return writes.map(([path, value]) => `echo ${value} > ${path}`);
}

/**
 * Arguments of `damo start`. damo 3.3.0 knows no action `split`: with it the scheme only counts (`stat`), and the action is
 * to be written through sysfs.
 */
export function damoArguments(ranges: readonly CandidateRange[], scheme: SchemeForRanges): string[] {
  const action = scheme.action === 'split' ? 'stat' : scheme.action;
  return [
    '--ops vaddr',
    `--target_pid ${scheme.pid}`,
    `--damos_action ${action}`,
    ...ranges.map(
      ({ startPage, endPage }) =>
        `--damos_filter allow addr ${startPage * scheme.pageSize} ${endPage * scheme.pageSize}`,
    ),
  ];
}
