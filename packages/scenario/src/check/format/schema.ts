/** The schema of `thplab/check@1`. It shares its vocabulary of processes, pages and sysfs with scenarios. */
import { KERNEL_PROFILES } from '@thplab/sysfs-schema';
import { z } from 'zod';
import type { DraftProcess } from '../../format/draft.js';
import { choice, count, nameOf, newName, seed, strict } from '../../format/schema-atoms.js';
import { sysfs } from '../../format/schema-machine.js';
import { process } from '../../format/schema-process.js';
import { ACTOR_KINDS } from '../actors/index.js';
import { INVARIANTS, type Invariant } from '../invariants/invariant.js';
import { STRATEGIES, type StrategyName, type VariantValue } from './check-case.js';

export const CHECK_FORMAT = 'thplab/check@1';

/** A case as written, after the schema. Absent keys stay absent. */
export interface CheckDraft {
  readonly format: string;
  readonly name: string;
  readonly description?: string | undefined;
  readonly bug?:
    | { readonly id: string; readonly finds?: string | undefined; readonly note?: string | undefined }
    | undefined;
  readonly machine?:
    | {
        readonly kernel?: (typeof KERNEL_PROFILES)[number] | undefined;
        readonly pmdOrder?: number | undefined;
        readonly pages?: number | undefined;
        readonly swap?: number | undefined;
        readonly slots?: number | undefined;
        readonly variant?: Record<string, VariantValue> | undefined;
      }
    | undefined;
  readonly sysfs?: Record<string, string> | undefined;
  readonly processes: DraftProcess[];
  readonly forks?: { readonly process: string; readonly as: string }[] | undefined;
  readonly actors: Record<string, unknown>[];
  readonly invariants?: Invariant[] | { readonly except: Invariant[] } | undefined;
  readonly search?:
    | {
        readonly strategy?: StrategyName | undefined;
        readonly preemptions?: number | undefined;
        readonly maxSchedules?: number | undefined;
        readonly seed?: number | undefined;
      }
    | undefined;
}

function bug(): z.ZodType<CheckDraft['bug']> {
  return strict(
    {
      id: z.string().regex(/^B\d+$/, { error: 'expected a number of the catalogue such as B7' }),
      finds: z
        .string()
        .min(1)
        .max(200)
        .optional()
        .describe('what the failure of the faulty kernel says; default: none is known'),
      note: z.string().max(400).optional().describe('for the table of the catalogue'),
    },
    'the entry of the catalogue that the case is of',
  );
}

function machine(): z.ZodType<CheckDraft['machine']> {
  const value = z.union([z.boolean(), z.number(), z.string().max(64)], {
    error: 'expected true, false, a number or a text',
  });
  return strict(
    {
      kernel: choice(KERNEL_PROFILES).optional().describe('kernel profile; default merged'),
      pmdOrder: count(3, 9).optional().describe('order of a PMD mapping; default 3: eight entries per table'),
      pages: count(32, 65_536).optional().describe('base pages of memory; default 64'),
      swap: count(0, 4096).optional().describe('pages of swap; default none'),
      slots: count(1, 64).optional().describe('address spaces that khugepaged has room for; default enough'),
      variant: z
        .record(z.string().max(64), value)
        .optional()
        .describe('fields of the generation that differ: the switch that makes it faulty'),
    },
    'the machine of the case',
  );
}

function actor(): z.ZodType<Record<string, unknown>> {
  const kinds = Object.fromEntries(
    ACTOR_KINDS.map((kind) => [kind.name, kind.params.optional().describe(kind.summary)]),
  );
  return strict({ name: newName().optional().describe('default: the kind'), ...kinds }, 'one task').refine(
    (one) => Object.keys(one).filter((key) => key !== 'name').length === 1,
    { error: `expected one kind of actor: ${ACTOR_KINDS.map((kind) => kind.name).join(', ')}` },
  );
}

function invariants(): z.ZodType<CheckDraft['invariants']> {
  const list = z.array(choice(INVARIANTS)).max(INVARIANTS.length);
  return z.union([list, strict({ except: list })], { error: 'expected a list such as [I1, I3], or {except: [I3]}' });
}

export const checkSchema: z.ZodType<CheckDraft> = strict(
  {
    format: z.literal(CHECK_FORMAT),
    name: z.string().min(1).max(120),
    description: z.string().max(65_536).optional(),
    bug: bug().optional(),
    machine: machine().optional(),
    sysfs: sysfs().optional(),
    processes: z.array(process()).min(1).max(8),
    forks: z
      .array(strict({ process: nameOf(), as: newName() }))
      .max(4)
      .optional()
      .describe('children that exist from the start'),
    actors: z.array(actor()).min(1).max(8),
    invariants: invariants().optional().describe('default: all but cache-hook'),
    search: strict({
      strategy: choice(STRATEGIES).optional().describe('default dfs'),
      preemptions: count(0, 64).optional().describe('most pre-emptions of a schedule; default any number'),
      maxSchedules: count(1, 1e9).optional().describe('default 1,000,000'),
      seed: seed().optional(),
    }).optional(),
  },
  'A case of thplab: a small machine, two to five actors, and what must hold under every schedule',
);
