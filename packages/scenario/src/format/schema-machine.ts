/** Schema of `machine` and `sysfs`. */

import { KERNEL_PROFILES } from '@thplab/sysfs-schema';
import { z } from 'zod';
import type { DraftFragmentation, DraftMachine, DraftOrder } from './draft.js';
import { choice, count, once, seed, share, size, strict } from './schema-atoms.js';
import { tlb } from './schema-workload.js';
import { MAX_BYTES, parseSize, SIZE_HINT, SIZE_PATTERN } from './units.js';

/** A folio order (0..13) or a folio size. */
export function order(): z.ZodType<DraftOrder> {
  return once('order', makeOrder);
}

function makeOrder(): z.ZodType<DraftOrder> {
  const error = 'expected a folio order from 0 to 13, or a folio size such as "64K"';
  return z.union([z.number(), z.string().meta({ pattern: SIZE_PATTERN })], { error }).transform((value, context) => {
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 13) return { order: value };
    const bytes = typeof value === 'string' ? parseSize(value) : null;
    if (bytes !== null && bytes >= 4096 && Number.isInteger(Math.log2(bytes))) return { size: bytes };
    context.issues.push({ code: 'custom', input: value, message: error });
    return z.NEVER;
  });
}

function fragmentation(): z.ZodType<DraftFragmentation> {
  return once('fragmentation', makeFragmentation);
}

function makeFragmentation(): z.ZodType<DraftFragmentation> {
  const whole = strict({
    fraction: share().describe('share of the PMD-sized blocks that somebody else already uses a part of'),
    order: order().optional().describe('size of each foreign piece; default 0, one page'),
    movable: share().optional().describe('share of the pieces that compaction can move; default 0'),
    seed: seed().optional(),
  });
  return z.union([share().transform((fraction) => ({ fraction })), whole], {
    error: 'expected a share such as 0.9 or "90%", or {fraction: 0.9, movable: 0.5}',
  });
}

function memory(): z.ZodType<DraftMachine['memory']> {
  const bytes = size(2 ** 20).transform((one) => ({ size: one }));
  const node = z.union([bytes, strict({ size: size(2 ** 20), fragmentation: fragmentation().optional() })], {
    error: `expected ${SIZE_HINT}, or {size: "4G", fragmentation: 0.5}`,
  });
  return z.union([bytes.transform((one) => [one]), z.array(node).min(1).max(64)], {
    error: `expected ${SIZE_HINT}, or a list with one entry per NUMA node`,
  });
}

const PAGE_SIZES: ReadonlyMap<number, 4096 | 16384 | 65536> = new Map([
  [4096, 4096],
  [16384, 16384],
  [65536, 65536],
]);

function pageSize(): z.ZodType<4096 | 16384 | 65536> {
  const error = 'expected one of "4K", "16K", "64K"';
  return z.union([z.number(), z.string()], { error }).transform((value, context) => {
    const known = PAGE_SIZES.get(parseSize(value) ?? 0);
    if (known !== undefined) return known;
    context.issues.push({ code: 'custom', input: value, message: error });
    return z.NEVER;
  });
}

export function machine(): z.ZodType<DraftMachine> {
  return strict(
    {
      memory: memory()
        .optional()
        .describe('size of memory, or a list with one entry per NUMA node; default 1G (4G with 64K pages)'),
      pageSize: pageSize().optional().describe('base page size: 4K (default), 16K or 64K; a PMD maps 2M, 32M or 512M'),
      pmdOrder: count(2, 13)
        .optional()
        .describe('order of a PMD mapping, for toy machines; default 9, 11 or 13 by pageSize'),
      kernel: choice(KERNEL_PROFILES).optional().describe('kernel profile; default merged'),
      cpus: count(1, 64).optional().describe('simulated CPUs; default 2'),
      swap: size(0, MAX_BYTES).optional().describe('swap space; default none'),
      boot: z.string().max(2048).optional().describe('kernel command line, e.g. thp_anon=64K:always'),
      readOnlyThpForFs: z
        .boolean()
        .optional()
        .describe('kernels before that option was dropped: built with CONFIG_READ_ONLY_THP_FOR_FS; default false'),
      tlb: tlb().optional(),
      fragmentation: fragmentation().optional().describe('of all nodes that do not say otherwise; default none'),
    },
    'the machine the scenario runs on',
  );
}

/** Paths to values, in order. */
export function sysfs(): z.ZodType<Record<string, string>> {
  return once('sysfs', makeSysfs);
}

function makeSysfs(): z.ZodType<Record<string, string>> {
  const value = z.union([z.string().max(4096), z.number().transform(String)], {
    error: 'expected the text to write, such as always, 511 or "1"',
  });
  const path = z
    .string()
    .regex(/^(\/sys\/kernel\/mm\/)?[A-Za-z0-9_][A-Za-z0-9_.+-]*(\/[A-Za-z0-9_][A-Za-z0-9_.+-]*){0,15}$/, {
      error: 'expected a path below /sys/kernel/mm/, or one relative to /sys/kernel/mm/transparent_hugepage/',
    });
  return z
    .record(path, value)
    .describe('sysfs files and what is written to them, relative to /sys/kernel/mm/transparent_hugepage/');
}
