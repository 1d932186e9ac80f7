/** Schema of processes and their VMAs. */
import { z } from 'zod';
import type { DraftProcess, DraftVma } from './draft.js';
import type { Protection } from './scenario.js';
import { address, choice, count, memcgPath, nameOf, newName, once, oneOrMany, size, strict } from './schema-atoms.js';
import { populate } from './schema-pages.js';

/** `rw-` */
export function protection(): z.ZodType<Protection> {
  return once('protection', makeProtection);
}

function makeProtection(): z.ZodType<Protection> {
  return z
    .string()
    .regex(/^[r-][w-][x-]$/, { error: 'expected a protection such as "rw-", "r--" or "---"' })
    .transform((text) => ({ read: text[0] === 'r', write: text[1] === 'w', exec: text[2] === 'x' }));
}

const UFFD_MODES = ['missing', 'wp', 'minor'] as const;
export function uffdModes(): z.ZodType<(typeof UFFD_MODES)[number][]> {
  return once('uffd-modes', makeUffdModes);
}

function makeUffdModes(): z.ZodType<(typeof UFFD_MODES)[number][]> {
  return oneOrMany(choice(UFFD_MODES), 3, 'missing, wp, minor, or a list of them');
}

const THP_MODES = ['default', 'disable', 'except-advised'] as const;
export function thpMode(): z.ZodType<(typeof THP_MODES)[number]> {
  return once('thp-mode', makeThpMode);
}

function makeThpMode(): z.ZodType<(typeof THP_MODES)[number]> {
  return choice(THP_MODES);
}

const VMA_FLAGS = [
  'dontexpand',
  'dontfork',
  'droppable',
  'growsdown',
  'hugetlb',
  'io',
  'mergeable',
  'mixedmap',
  'mlocked',
  'noreserve',
  'pfnmap',
  'private',
  'shared',
  'tempstack',
  'wipeonfork',
] as const;

type VmaShape = { [K in keyof DraftVma]-?: z.ZodType<DraftVma[K]> };

let shape: VmaShape | undefined;

/** Keys of a VMA, also used by the mmap event. */
export function vmaShape(): VmaShape {
  shape ??= makeVmaShape();
  return shape;
}

function makeVmaShape(): VmaShape {
  return {
    name: newName(),
    size: size(4096).describe('bytes, a whole number of pages'),
    at: address().optional().describe('start address; default: the next free place, aligned to a PMD mapping'),
    kind: choice(['anon', 'shmem', 'file', 'dax', 'special']).optional().describe('default anon'),
    file: nameOf().optional().describe('file or shared memory of `files` that is mapped; default: one of its own'),
    offset: size().optional().describe('where in the file the VMA begins, bytes; default 0'),
    prot: protection().optional().describe('default rw-'),
    advice: choice(['none', 'hugepage', 'nohugepage'])
      .optional()
      .describe('madvise after the pages are there; default none'),
    flags: oneOrMany(
      choice(VMA_FLAGS),
      VMA_FLAGS.length,
      `one of ${VMA_FLAGS.join(', ')}, or a list of them`,
    ).optional(),
    uffd: uffdModes().optional().describe('userfaultfd registration after the pages are there'),
    populate: populate().optional().describe('what the pages are when the run starts; default none'),
  };
}

export function process(): z.ZodType<DraftProcess> {
  return strict(
    {
      name: newName(),
      count: count(1, 4096).optional().describe('so many equal processes, name.0, name.1, ...'),
      thp: thpMode().optional().describe('PR_SET_THP_DISABLE; default: not set'),
      memcg: memcgPath().optional().describe('memory cgroup that it is in, from the root; default "/"'),
      cpu: count(0, 63).optional().describe('simulated CPU the process runs on'),
      snapshot: z
        .string()
        .min(1)
        .max(4096)
        .optional()
        .describe('snapshot file of a captured process, relative to this file'),
      vmas: z.array(strict(vmaShape())).max(65_536).optional(),
    },
    'a process and its address space',
  );
}
