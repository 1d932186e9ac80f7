/** Schema of `expect` (and of the check event) and of `run`. */
import { z } from 'zod';
import type { DraftExpect, DraftRun } from './draft.js';
import {
  address,
  bound,
  choice,
  count,
  duration,
  nameOf,
  once,
  oneOrMany,
  runList,
  share,
  strict,
} from './schema-atoms.js';
import { monitoringExpectations, schemeExpectations } from './schema-damon-bounds.js';
import { hintsExpectation } from './schema-hints.js';
import { tlbExpectations } from './schema-workload.js';
import type { Interval } from './units.js';

const COUNTER = /^(\/sys\/kernel\/mm\/)?[A-Za-z0-9_][A-Za-z0-9_.+-]*(\/[A-Za-z0-9_][A-Za-z0-9_.+-]*){0,15}$/;

const COUNTER_VALUE =
  'expected a number, a text such as ">= 10" or "1..5", {min: 1, max: 5}, or what the file reads as';

/** Counter names (vmstat names, sysfs paths) to bounds; a sysfs file may also be expected to read as a text. */
export function counters(): z.ZodType<Record<string, Interval | string>> {
  return once('counters', makeCounters);
}

function makeCounters(): z.ZodType<Record<string, Interval | string>> {
  const name = z.string().regex(COUNTER, {
    error: 'expected a vmstat counter such as thp_collapse_alloc, or a sysfs path such as khugepaged/pages_collapsed',
  });
  const text = z.string().regex(/^(?!\s*(?:[<>≥≤]|\d))[^\n]{1,256}$/, { error: COUNTER_VALUE });
  const value = z.union([bound('count'), text], {
    error: COUNTER_VALUE,
  });
  return z.record(name, value);
}

function coverage(): z.ZodType<NonNullable<DraftExpect['coverage']>> {
  const entry = strict({
    process: nameOf().optional(),
    vma: nameOf().optional(),
    of: choice(['size', 'resident'])
      .optional()
      .describe('what 100 % is: all bytes of the VMAs (default), or the resident ones'),
    huge: bound('share').optional().describe('share that is PMD-mapped'),
    sizes: z
      .record(z.string(), bound('share'))
      .optional()
      .describe('share mapped by folios of each size, e.g. {64K: ">= 90%"}'),
  }).refine((one) => one.huge !== undefined || one.sizes !== undefined, { error: 'expected huge, sizes or both' });
  return oneOrMany(entry, 4096, 'an entry such as {process: app, huge: ">= 99%"}, or a list of them');
}

function memory(): z.ZodType<NonNullable<DraftExpect['memory']>> {
  const entry = strict({
    process: nameOf().optional(),
    vma: nameOf().optional(),
    rss: bound('size').optional(),
    anonHuge: bound('size').optional().describe('AnonHugePages'),
    swap: bound('size').optional(),
    free: bound('size').optional().describe('free memory of the machine'),
  });
  return oneOrMany(entry, 4096, 'an entry such as {process: app, rss: "<= 64M"}, or a list of them');
}

function outcomes(): z.ZodType<NonNullable<DraftExpect['outcomes']>> {
  const entry = strict({
    process: nameOf(),
    vma: nameOf().optional(),
    blocks: runList('block numbers')
      .optional()
      .describe('PMD-sized blocks of the VMA, from its first whole one; default all'),
    address: address().optional(),
    outcome: oneOrMany(z.string().max(80), 40, 'an outcome such as "collapsed 2M" or exceed_none_pte').describe(
      'collapsed, "collapsed 64K", or the kernel\'s name of the reason why not; a list means any of these',
    ),
  });
  return oneOrMany(
    entry,
    65_536,
    'an entry such as {process: app, vma: heap, blocks: 0, outcome: collapsed}, or a list of them',
  );
}

function stalls(): z.ZodType<NonNullable<DraftExpect['stalls']>> {
  const entry = strict({
    process: nameOf().optional(),
    worst: bound('duration').optional(),
    p99: bound('duration').optional(),
    median: bound('duration').optional(),
  });
  return oneOrMany(entry, 4096, 'an entry such as {process: app, worst: "<= 1ms"}, or a list of them');
}

export function expectations(): z.ZodType<DraftExpect> {
  return once('expectations', makeExpectations);
}

function makeExpectations(): z.ZodType<DraftExpect> {
  return strict(
    {
      counters: counters().optional().describe('vmstat counters and sysfs files'),
      coverage: coverage().optional().describe('how much is mapped by large folios'),
      memory: memory().optional().describe('resident, huge and free memory'),
      outcomes: outcomes().optional().describe('what became of single blocks, and why'),
      stalls: stalls().optional().describe('how long page faults took'),
      tlb: tlbExpectations().optional().describe('hits and walks of address translation'),
      schemes: schemeExpectations().optional().describe('statistics of DAMOS schemes, by name'),
      monitoring: monitoringExpectations().optional().describe('what DAMON saw in its last whole aggregation'),
      hints: hintsExpectation().optional().describe('what became of collapse hints, and of hot memory'),
      time: strict({
        end: bound('duration').optional().describe('virtual time at the end of the run'),
        khugepagedCpu: bound('duration').optional(),
        khugepagedShare: bound('share').optional(),
      }).optional(),
    },
    'what must hold; the invariants of the machine are checked in any case',
  );
}

const GOAL = 'expected at least one of fullScans, pagesCollapsed, covered, eventsDone, counters';

export function run(): z.ZodType<DraftRun> {
  const covered = z.union(
    [
      share().transform((value) => ({ share: value })),
      strict({ process: nameOf().optional(), vma: nameOf().optional(), share: share() }),
    ],
    { error: 'expected a share such as 0.99, or {process: app, share: 0.99}' },
  );
  const until = strict({
    fullScans: count(1, 1e9).optional().describe('khugepaged/full_scans has reached this'),
    pagesCollapsed: count(1).optional().describe('khugepaged/pages_collapsed has reached this'),
    covered: covered.optional().describe('this share is PMD-mapped'),
    eventsDone: z.boolean().optional().describe('all events are done'),
    counters: counters().optional(),
  }).refine((goal) => Object.values(goal).some((value) => value !== undefined), { error: GOAL });
  return strict(
    {
      for: duration(1).optional().describe('virtual time to run'),
      until: until.optional().describe('end as soon as all of this holds'),
      atMost: duration(1).optional().describe('give up after this virtual time; default 10min'),
      khugepaged: z.boolean().optional().describe('whether khugepaged may run; default true'),
      sample: duration(1000).optional().describe('a row of the time line every so often'),
      trace: strict({
        events: z
          .union([choice(['all', 'none']), z.array(z.string().max(100)).max(100)], {
            error: 'expected all, none, or a list of tracepoint names',
          })
          .optional(),
        capacity: count(16, 2 ** 24)
          .optional()
          .describe('events the ring holds; the oldest go first'),
      }).optional(),
    },
    'how long to run',
  ).refine((one) => one.for === undefined || (one.until === undefined && one.atMost === undefined), {
    error: 'expected either for, or until with atMost',
  });
}
