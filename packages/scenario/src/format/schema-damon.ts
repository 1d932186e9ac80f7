/** Schema of `damon`: kdamonds with their targets and schemes (docs/damon.md). */
import { DAMON_PROFILES, DAMOS_ACTIONS, FILTER_TYPES, QUOTA_GOAL_METRICS } from '@thplab/damos-actions';
import { z } from 'zod';
import { PING_PONG_DESIGNS } from '../damon/ping-pong/designs.js';
import type {
  DraftDamon,
  DraftDamonTarget,
  DraftFilter,
  DraftGoal,
  DraftKdamond,
  DraftQuota,
  DraftScheme,
} from './draft-damon.js';
import {
  address,
  bound,
  choice,
  count,
  duration,
  memcgPath,
  nameOf,
  newName,
  once,
  oneOrMany,
  runList,
  seed,
  share,
  size,
  strict,
} from './schema-atoms.js';
import { accessesBound, ageBound } from './schema-damon-bounds.js';
import { order } from './schema-machine.js';

/** Designs against ping-pong with khugepaged (damon/ping-pong/designs.ts). */
const PING_PONG = PING_PONG_DESIGNS.map(({ name }) => name);

const PROFILES = DAMON_PROFILES.map(({ name }) => name);

/** Part of an address space; without a VMA, or for physical memory, by address. */
const RANGE = {
  vma: nameOf().optional(),
  blocks: runList('block numbers').optional().describe('PMD-sized blocks of the VMA, from its first whole one'),
  pages: runList('page numbers').optional().describe('pages of the VMA, one run'),
  offset: size().optional().describe('byte offset in the VMA, with size'),
  address: address().optional().describe('absolute or physical address, with size and without vma'),
  size: size().optional(),
};

function target(): z.ZodType<DraftDamonTarget> {
  const range = oneOrMany(strict(RANGE), 4096, 'a range such as {vma: heap}, or a list of them');
  const whole = strict({
    process: nameOf().optional().describe('none: physical memory (paddr)'),
    ranges: range.optional().describe('regions to start with; default: what the operations find'),
  });
  return z.union([nameOf().transform((process) => ({ process })), whole], {
    error: 'expected the name of a process, or {process: app, ranges: {vma: heap}}',
  });
}

function filter(): z.ZodType<DraftFilter> {
  return strict({
    allow: choice(FILTER_TYPES).optional().describe('memory of this type passes'),
    reject: choice(FILTER_TYPES).optional().describe('memory of this type does not'),
    not: z.boolean().optional().describe('speaks about all memory that is not of the type'),
    ...RANGE,
    process: nameOf().optional().describe('addr: whose addresses'),
    min: size().optional().describe('hugepage_size: least size'),
    max: size().optional().describe('hugepage_size: greatest size'),
    target: count(0, 4095).optional().describe('target: its number'),
    memcg: memcgPath().optional().describe('memcg: path of the cgroup; those below it are others'),
  }).refine((one) => (one.allow === undefined) !== (one.reject === undefined), {
    error: 'expected exactly one of allow and reject',
  });
}

function goal(): z.ZodType<DraftGoal> {
  return strict({
    metric: choice(QUOTA_GOAL_METRICS),
    target: count(1).describe('the value wanted: µs, basis points, or what the user counts'),
    current: count().optional().describe('user_input: the value now'),
    node: count(0, 63).optional().describe('for metrics of a node'),
    memcg: memcgPath().optional().describe('for metrics of a memory cgroup, with those below it'),
  });
}

function quota(): z.ZodType<DraftQuota> {
  return strict(
    {
      size: size().optional().describe('bytes per window'),
      time: duration().optional().describe('processor time per window'),
      per: duration().optional().describe('the window (reset interval); default 1s'),
      weights: strict({
        size: count(0, 1000).optional(),
        accesses: count(0, 1000).optional(),
        age: count(0, 1000).optional(),
      })
        .optional()
        .describe('of the priority of regions, permille'),
      goals: oneOrMany(goal(), 32, 'a goal such as {metric: node_mem_free_bp, target: 500, node: 0}').optional(),
      tuner: choice(['consist', 'temporal']).optional(),
      failCharge: strict({ num: count(0, 2 ** 31), denom: count(1, 2 ** 31) })
        .optional()
        .describe('share at which bytes are charged that the action failed on'),
    },
    'how much the scheme may do in a window',
  );
}

function scheme(): z.ZodType<DraftScheme> {
  return strict({
    name: newName().optional().describe('for results and expectations; default: the action'),
    action: choice(DAMOS_ACTIONS),
    size: bound('size').optional().describe('of a region; default: any'),
    accesses: accessesBound().optional().describe('share of the samples (">= 50%"), or their number; default: any'),
    age: ageBound().optional().describe('time (">= 1s"), or number of aggregations; default: any'),
    every: duration().optional().describe('apply interval; default: each aggregation'),
    quota: quota().optional(),
    watermarks: strict({
      interval: duration().describe('time between two looks'),
      high: share(),
      mid: share(),
      low: share(),
    })
      .optional()
      .describe('by the share of free memory'),
    filters: oneOrMany(filter(), 256, 'a filter such as {allow: anon}, or a list of them').optional(),
    targetOrder: order().optional().describe('order or size of the folios that collapse and split make'),
    node: oneOrMany(
      z.union([
        count(0, 63).transform((nid) => ({ nid, weight: 1 })),
        strict({ nid: count(0, 63), weight: count(0, 2 ** 31) }),
      ]),
      64,
      'a node, or a list such as [{nid: 0, weight: 1}, {nid: 1, weight: 3}]',
    )
      .optional()
      .describe('migrate_hot, migrate_cold: where to; with weights for several nodes'),
    maxSnapshots: count(0, 2 ** 31)
      .optional()
      .describe('walks over all regions after which it rests'),
  });
}

function kdamond(): z.ZodType<DraftKdamond> {
  return strict({
    name: newName().optional().describe('default kdamond-0, kdamond-1, ...'),
    operations: choice(['vaddr', 'fvaddr', 'paddr']).optional().describe('default vaddr'),
    intervals: strict({
      sample: duration().optional().describe('default 5ms'),
      aggr: duration().optional().describe('default 100ms'),
      update: duration().optional().describe('of the layout; default 1s, as damo sets it'),
    }).optional(),
    autotune: strict({
      access: share().describe('share of the possible accesses that is to be observed'),
      aggrs: count(1, 2 ** 31),
      minSample: duration(),
      maxSample: duration(),
    })
      .optional()
      .describe('auto-tuning of the intervals'),
    regions: strict({ min: count(0, 2 ** 31).optional(), max: count(0, 2 ** 31).optional() })
      .optional()
      .describe('bounds of their number; default 10 and 1000'),
    minRegionSize: size(1).optional().describe('smallest region; default one page'),
    addrUnit: size(1).optional().describe('paddr: bytes of one core unit'),
    targets: oneOrMany(target(), 1024, 'the name of a process, or a list of targets').optional(),
    schemes: z.array(scheme()).max(256).optional(),
    start: duration().optional().describe('when it is switched on; default 0'),
    stop: duration().optional().describe('when it is switched off; default never'),
    seed: seed().optional().describe('of sampling addresses and splits'),
    pause: z
      .boolean()
      .optional()
      .describe('starts paused, until N is written to its file and committed; default false'),
    locks: choice(['kernel', 'batch'])
      .optional()
      .describe('of access checks: page by page, or once for all regions (default, much faster)'),
  });
}

/** `damon`: a list of kdamonds, or these and what concerns all of them. */
export function damon(): z.ZodType<DraftDamon> {
  return once('damon', () => {
    const kdamonds = z.array(kdamond()).max(256);
    const whole = strict({
      profile: choice(PROFILES).optional().describe("DAMON's generation; default: that of machine.kernel"),
      pingPong: choice(PING_PONG)
        .optional()
        .describe('what keeps khugepaged from building again what a scheme has split; default none'),
      kdamonds: kdamonds.optional(),
      damo: z
        .union([z.string().min(1).max(4096), z.looseObject({}), z.array(z.looseObject({})).max(256)], {
          error: 'expected the name of a file, or a damo kdamonds document',
        })
        .optional()
        .describe("damo's kdamonds document (JSON or YAML), or the file that has it; in place of kdamonds"),
      pids: z.record(z.string().max(100), nameOf()).optional().describe('pids of that document to names of processes'),
    }).refine((one) => one.damo === undefined || one.kdamonds === undefined, {
      error: 'expected either kdamonds or damo',
    });
    return z.union([kdamonds.transform((list) => ({ bare: true, kdamonds: list })), whole], {
      error: 'expected a list of kdamonds, or {profile: damon-rfc, kdamonds: [...]}',
    });
  });
}
