/** Schema of `hints`, of the event `hint`, and of what is expected of them (docs/hints.md). */
import { HINT_ADD, HINT_DROP, hintPolicyNamed } from '@thplab/khugepaged-scheduler';
import { SCAN, type ScanResult, scanResultText } from '@thplab/mthp-collapse';
import { z } from 'zod';
import type { DraftDensity, DraftHints, DraftHintsExpect, DraftPriority, DraftProducer } from './draft-hints.js';
import { bound, choice, count, duration, nameOf, once, oneOrMany, share, strict } from './schema-atoms.js';
import type { Interval } from './units.js';

/** Hints that fit into an arena with everything else. */
const MOST_HINTS = 2 ** 22;

export function hintPriority(): z.ZodType<DraftPriority> {
  return choice(['high', 'low']);
}

/** The name of a policy and its changed fields, judged by the package that has them. */
function policy(): z.ZodType<string> {
  return z
    .string({ error: 'expected the name of a hint policy, such as as-posted or fair:rotateAfter=4' })
    .superRefine((text, context) => {
      try {
        hintPolicyNamed(text);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        context.addIssue({ code: 'custom', message: error.message, input: text });
      }
    });
}

function density(what: string): z.ZodType<DraftDensity> {
  return strict({
    process: nameOf().optional().describe('default: all'),
    count: count(1, 2 ** 20).describe(`${what} in one PMD range`),
    within: duration(1).describe('in this time'),
    priority: hintPriority().optional().describe('default low'),
  });
}

function producer(): z.ZodType<DraftProducer> {
  const shape = {
    heat: strict({
      kdamond: nameOf().optional().describe('default: the first'),
      above: share().optional().describe('share of the samples that makes a region hot; default 50%'),
      urgent: share().optional().describe('share from which on the priority is high; default 90%'),
      every: duration(1000).optional().describe('how often its regions are looked at; default 1s'),
    }).describe('regions that DAMON finds hot'),
    faults: density('page faults').describe('density of page faults'),
    tlb: density('walks of the page table').describe('density of TLB misses'),
    aging: strict({
      process: nameOf().optional().describe('default: all'),
      every: duration(1000).optional().describe('time between two scans; default 2s'),
      generations: count(1, 64).optional().describe('scans in a row that must find the range young; default 2'),
      priority: hintPriority().optional().describe('default low'),
    }).describe('an aging scan of accessed bits, in the manner of MGLRU'),
  };
  const { heat, faults, tlb, aging } = shape;
  return strict({
    heat: heat.optional(),
    faults: faults.optional(),
    tlb: tlb.optional(),
    aging: aging.optional(),
  }).refine((one) => Object.values(one).filter((value) => value !== undefined).length === 1, {
    error: 'expected exactly one of heat, faults, tlb, aging',
  });
}

/** `hints`. `pages`: the schema of a target of pages, from the events. */
export function hints(pages: z.core.$ZodShape): z.ZodType<DraftHints> {
  return once('hints', () =>
    strict(
      {
        policy: policy().optional().describe('how the queue works; default as-posted'),
        limit: count(1, MOST_HINTS).optional().describe('hints that can wait at once; default 65536'),
        whenFull: choice(['error', 'drop']).optional().describe('default error: the run ends and says so'),
        hot: (
          oneOrMany(strict(pages), 4096, 'pages such as {process: app, vma: heap}') as never as z.ZodType<
            DraftHints['hot']
          >
        )
          .optional()
          .describe('what is hot, for the report; default: what access events and workloads touch'),
        producers: oneOrMany(producer(), 64, 'a producer such as {heat: {}}, or a list of them').optional(),
      },
      'collapse hints: the queue, who fills it, and what is hot (kernel hints-rfc)',
    ),
  );
}

/** Every name that can stand below `reasons`. */
export const HINT_REASONS: readonly string[] = [
  ...new Set([
    ...Object.keys(HINT_ADD),
    ...Object.keys(HINT_DROP),
    ...(Object.values(SCAN) as ScanResult[]).map((result) => scanResultText(result)),
  ]),
];

function reasons(): z.ZodType<Record<string, Interval>> {
  const name = z.string().refine((text) => HINT_REASONS.includes(text), {
    error: `expected what can become of a hint: ${Object.keys(HINT_ADD).join(', ')}, ${Object.keys(HINT_DROP).join(', ')}, or a scan result`,
  });
  return z.record(name, bound('count'));
}

/** `expect.hints`. */
export function hintsExpectation(): z.ZodType<DraftHintsExpect> {
  return strict({
    hot50: bound('duration').optional().describe('when 50 % of the hot bytes were huge'),
    hot90: bound('duration').optional().describe('when 90 % were'),
    hot99: bound('duration').optional().describe('when 99 % were'),
    hotHuge: bound('share').optional().describe('share of the hot bytes that is huge'),
    cold: bound('share').optional().describe('share of the collapsed bytes that is cold'),
    queued: bound('count').optional().describe('hints that were queued'),
    refused: bound('count').optional().describe('hints that were not'),
    served: bound('count').optional().describe('hints whose ranges were looked at'),
    succeeded: bound('count').optional().describe('hints whose ranges were collapsed'),
    dropped: bound('count').optional().describe('hints that were dropped unseen'),
    waiting: bound('count').optional().describe('hints that still wait'),
    contended: bound('count').optional().describe('times that a drain found mmap_lock held'),
    longestWait: bound('duration').optional().describe('longest time that a hint waited'),
    starved: bound('count').optional().describe('address spaces none of whose hints was served'),
    inversions: bound('count').optional().describe('times that less urgent work was done while urgent hints waited'),
    reasons: reasons().optional().describe('hints by what became of them'),
  });
}
