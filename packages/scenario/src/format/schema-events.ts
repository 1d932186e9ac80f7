/** Schema of timed events. */
import { z } from 'zod';
import type { DraftEvent, DraftTarget } from './draft.js';
import type { Errno, MadviseAdvice } from './scenario.js';
import { address, choice, count, duration, nameOf, newName, runList, size, strict } from './schema-atoms.js';
import { counters, expectations } from './schema-expect.js';
import { hintPriority } from './schema-hints.js';
import { order, sysfs } from './schema-machine.js';
import { patternShape } from './schema-pages.js';
import { protection, thpMode, uffdModes, vmaShape } from './schema-process.js';

export const ERRNOS: readonly Errno[] = [
  'ok',
  'EACCES',
  'EAGAIN',
  'EBUSY',
  'ECANCELED',
  'EEXIST',
  'EFAULT',
  'EINTR',
  'EINVAL',
  'ENOENT',
  'ENOMEM',
  'ENOSPC',
  'EPERM',
  'ERANGE',
  'ESRCH',
];

const ADVICE: readonly MadviseAdvice[] = [
  'hugepage',
  'nohugepage',
  'dontneed',
  'free',
  'cold',
  'pageout',
  'populate_read',
  'populate_write',
  'collapse',
  'guard_install',
  'guard_remove',
];

/** Keys of an event that name its action; exactly one of them stands in each event. */
export const ACTIONS = [
  'fault',
  'access',
  'fork',
  'exit',
  'madvise',
  'mmap',
  'munmap',
  'mremap',
  'mprotect',
  'mlock',
  'munlock',
  'pin',
  'unpin',
  'lock',
  'unlock',
  'swapout',
  'uffd',
  'prctl',
  'sysfs',
  'failAllocation',
  'hint',
  'check',
] as const;

type TargetShape = { [K in keyof DraftTarget]-?: z.ZodType<DraftTarget[K]> };

const TARGET: TargetShape = {
  process: nameOf(),
  vma: nameOf().optional(),
  blocks: runList('block numbers').optional().describe('PMD-sized blocks of the VMA, from its first whole one'),
  offset: size().optional().describe('byte offset in the VMA, with size'),
  address: address().optional().describe('absolute address, with size and without vma'),
  size: size().optional(),
};

const RANGE = { ...TARGET, pages: runList('page numbers').optional().describe('pages of the VMA, one run') };
const PAGES = { ...TARGET, ...patternShape() };

/** What says which pages of which process are meant. */
export function pagesShape(): z.core.$ZodShape {
  return PAGES;
}

function actions() {
  const until = duration().optional().describe('until undone, if not given');
  return {
    fault: strict({
      ...PAGES,
      write: z.boolean().optional().describe('default true'),
      direction: choice(['ascending', 'descending', 'random']).optional(),
      over: duration().optional().describe('spread over this time; default: one right after the other'),
    }).describe('touch pages once'),
    access: strict({
      ...PAGES,
      write: z.boolean().optional().describe('default false'),
      every: duration(1000),
      for: duration().optional().describe('default: until the run ends'),
    }).describe('touch pages again and again'),
    fork: strict({
      process: nameOf(),
      as: newName(),
      count: count(1, 4096).optional(),
      lifetime: duration().optional().describe('the child exits after this time'),
    }),
    exit: strict({ process: nameOf() }),
    madvise: strict({ ...RANGE, advice: choice(ADVICE) }),
    mmap: strict({ process: nameOf(), ...vmaShape() }),
    munmap: strict(RANGE),
    mremap: strict({ ...RANGE, to: address().optional(), newSize: size(4096).optional() }),
    mprotect: strict({ ...RANGE, prot: protection() }),
    mlock: strict(RANGE),
    munlock: strict(RANGE),
    pin: strict({ ...PAGES, for: until }).describe('take a GUP pin, as for DMA'),
    unpin: strict(PAGES),
    lock: strict({ ...PAGES, for: until }).describe('hold the folio locks, as I/O does'),
    unlock: strict(PAGES),
    swapout: strict(PAGES),
    uffd: strict({
      ...RANGE,
      call: choice(['register', 'unregister', 'writeprotect', 'unprotect', 'poison']),
      modes: uffdModes().optional(),
    }),
    prctl: strict({ process: nameOf(), thp: thpMode() }),
    sysfs: sysfs(),
    failAllocation: strict({
      order: order().optional().describe('order or size; default: every order above 0'),
      nth: count(1, 1e9).optional(),
      every: count(1, 1e9).optional(),
      count: count(1, 1e9).optional(),
    }).refine((one) => [one.nth, one.every, one.count].filter((value) => value !== undefined).length === 1, {
      error: 'expected exactly one of nth, every, count',
    }),
    hint: strict({
      ...PAGES,
      priority: hintPriority().optional().describe('default high'),
      maxOrder: count(0, 13)
        .optional()
        .describe('order of the largest mapping already present; default: what is there'),
    }).describe('ask khugepaged to look at the PMD ranges of these pages first (kernel hints-rfc)'),
    check: expectations(),
  } satisfies Record<(typeof ACTIONS)[number], z.ZodType>;
}

type Optional<S> = { [K in keyof S]: S[K] extends z.ZodType ? z.ZodOptional<S[K]> : never };

function optional<S extends Record<string, z.ZodType>>(shape: S): Optional<S> {
  return Object.fromEntries(Object.entries(shape).map(([key, schema]) => [key, schema.optional()])) as Optional<S>;
}

export function event(): z.ZodType<DraftEvent> {
  const repeat = strict({ every: duration(1000), times: count(1, 1e9).optional() });
  return strict(
    {
      at: duration().describe('time since the start of the run'),
      repeat: repeat.optional().describe('again and again; times counts all executions, default: until the run ends'),
      cpu: count(0, 63).optional().describe('simulated CPU the action runs on'),
      expect: strict({ errno: choice(ERRNOS).optional(), counters: counters().optional() })
        .optional()
        .describe('what the call returns (ok or an errno), and by how much counters change'),
      ...optional(actions()),
    },
    'something that happens at a time; exactly one action each',
  );
}
