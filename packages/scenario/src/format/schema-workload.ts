/** Schema of `workload`, `machine.tlb` and `expect.tlb`. */
import { TLB_PRESETS } from '@thplab/mm-model';
import { z } from 'zod';
import {
  type DraftPart,
  type DraftPhase,
  type DraftTlb,
  type DraftTlbExpect,
  type DraftWorkload,
  PATTERN_NAMES,
} from './draft-workload.js';
import {
  address,
  bound,
  choice,
  count,
  duration,
  nameOf,
  newName,
  oneOrMany,
  runList,
  seed,
  shareOrFlag,
  size,
  strict,
} from './schema-atoms.js';

const MOST_PER_SECOND = 1e12;

function file(what: string): z.ZodType<string> {
  return z.string().min(1).max(4096).describe(`${what}, relative to this file`);
}

type Shape = { [K in keyof DraftPart]-?: z.ZodType<DraftPart[K]> };

function partShape(): Shape {
  return {
    vma: nameOf().optional(),
    blocks: runList('block numbers').optional().describe('PMD-sized blocks of the VMA, from its first whole one'),
    offset: size().optional().describe('byte offset in the VMA, with size'),
    address: address().optional().describe('absolute address, with size and without vma'),
    size: size().optional(),
    pattern: choice(PATTERN_NAMES)
      .optional()
      .describe(
        'uniform, zipf, sequential, stride, onePerBlock; heat: the pages whose accessed bit is set at the start',
      ),
    masim: file('a masim configuration').optional(),
    record: file('a damo record').optional(),
    rate: count(0, MOST_PER_SECOND).optional().describe('accesses in a second, e.g. 1M'),
    bandwidth: size(0).optional().describe('bytes in a second, instead of rate'),
    write: shareOrFlag().optional().describe('share of the accesses that write; default all'),
    exponent: z.number().min(0).max(4).optional().describe('of zipf; default 0.99'),
    scattered: z.boolean().optional().describe('zipf: hot blocks anywhere (default true), or at the start'),
    step: size(1).optional().describe('sequential: bytes between accesses; default one page'),
    every: size(1).optional().describe('stride: bytes between accesses'),
    page: count(0, 2 ** 20)
      .optional()
      .describe('onePerBlock: which page of each block; default 0'),
  };
}

function phase(): z.ZodType<DraftPhase> {
  return strict(
    {
      ...partShape(),
      for: duration(1000),
      idle: z.boolean().optional().describe('no accesses in this phase'),
    },
    'one phase: a pattern, and how long',
  );
}

/** What programs do to memory. */
export function workload(): z.ZodType<DraftWorkload[]> {
  const entry: z.ZodType<DraftWorkload> = strict(
    {
      ...partShape(),
      process: nameOf(),
      name: newName().optional(),
      start: duration().optional().describe('default 0'),
      for: duration(1000).optional().describe('default: until the run ends'),
      form: choice(['auto', 'exact', 'analytic'])
        .optional()
        .describe('exact: every access through the TLB; analytic: expected values; default: by the number of accesses'),
      seed: seed().optional(),
      phases: z.array(phase()).min(1).max(4096).optional().describe('patterns one after the other'),
      repeat: z.boolean().optional().describe('start over after the last phase; default false'),
    },
    'accesses of a process: a pattern or phases, and how many in a second',
  );
  return oneOrMany(entry, 4096, 'an entry such as {process: app, pattern: uniform, rate: 1M}, or a list of them');
}

/** TLB of the machine. */
export function tlb(): z.ZodType<DraftTlb> {
  const presets = Object.keys(TLB_PRESETS);
  const sizes = oneOrMany(size(4096), 8, 'a page size, or a list of them');
  const array = strict({
    entries: count(1, 2 ** 20),
    ways: count(1, 2 ** 20)
      .optional()
      .describe('entries of a set; default: fully associative'),
    sizes: sizes.describe('page sizes that it holds'),
    replacement: choice(['lru', 'random']).optional(),
  });
  const cycles = z.number().min(0).max(1e6).optional();
  const custom = strict(
    {
      preset: z.enum(presets).optional().describe('where the rest comes from'),
      name: newName().optional(),
      levels: z.array(z.array(array).min(1).max(8)).min(1).max(2).optional().describe('first level first'),
      contiguous: sizes.optional().describe('sizes of contiguous PTEs that share an entry'),
      contiguousNeedsFolio: z.boolean().optional().describe('they must be one folio, as for the hint of arm64'),
      asids: count(0, 65_536).optional().describe('address spaces kept apart; 0: emptied on each switch'),
      cycles: strict({ secondLevelHit: cycles, walkHuge: cycles, walkBase: cycles }).optional(),
      gigahertz: z.number().min(0.001).max(100).optional(),
    },
    'a TLB of your own',
  );
  const names = [...presets, 'none'] as const;
  return z
    .union([z.enum(names).transform((preset): DraftTlb => ({ preset })), custom], {
      error: `expected one of ${names.join(', ')}, or a map with levels`,
    })
    .describe('what the processors remember of page tables; default skylake where there is a workload');
}

/** Expectations about address translation. */
export function tlbExpectations(): z.ZodType<DraftTlbExpect[]> {
  const entry = strict({
    process: nameOf().optional(),
    hitRate: bound('share').optional().describe('share of accesses that needed no walk'),
    walks: bound('count').optional().describe('walks of page tables'),
    lost: bound('duration').optional().describe('time lost to address translation'),
  });
  return oneOrMany(entry, 4096, 'an entry such as {process: app, hitRate: ">= 99%"}, or a list of them');
}
