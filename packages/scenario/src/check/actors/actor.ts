/**
 * What an actor of a case is: one task that calls the model's own procedures. One kind per file; `index.ts` lists them.
 */
import type { Procedure } from '@thplab/sync';
import { z } from 'zod';
import { nameOf, strict } from '../../format/schema-atoms.js';
import type { Stage, Target } from '../stage.js';

/** Where an actor works, as the file says it. All parts have defaults: the first process, its first VMA, page 0. */
export interface TargetDraft {
  readonly process?: string | undefined;
  readonly vma?: string | undefined;
  readonly page?: number | undefined;
  readonly pages?: number | undefined;
}

/** Why an actor cannot be what the file says. */
export interface Refusal {
  readonly key: string;
  readonly message: string;
  readonly hint: string;
}

/** A kind of actor, with the type of its parameters. */
export interface TypedActorKind<P extends TargetDraft> {
  readonly name: string;
  /** One line for the list of actors. */
  readonly summary: string;
  /** What may stand below its name. */
  readonly params: z.ZodType<P>;
  /** Pages it works on when the file says nothing: one, or the rest of the VMA. */
  readonly covers: 'page' | 'vma';
  /** On behalf of the process, which is then not gone before its end; or in the kernel. */
  readonly runsIn: 'process' | 'kernel';
  /** The kernel must have this, or the actor does nothing. */
  readonly needs?: 'hints';
  /** What is wrong with the parameters in this case; undefined if nothing is. `key` is the one that is wrong. */
  readonly refuses?: (stage: Stage, params: P, target: Target) => Refusal | undefined;
  /** Called once per case; what it gives is called once per schedule. */
  readonly make: (stage: Stage, params: P, target: Target) => () => Procedure<void>;
}

/** A kind of actor, whatever its parameters. */
export type ActorKind = TypedActorKind<TargetDraft>;

/** Why pages cannot move `by` pages from where they are; undefined if they can. */
export function refusedMove({ raw }: Stage, by: number, { first, pages }: Target): Refusal | undefined {
  const to = first + by;
  if (by === 0) return { key: 'by', message: 'by is 0: the pages stay where they are', hint: 'name another place' };
  if (to >= 0 && to + pages <= raw.addressPages) return undefined;
  const message = `the new place, from page ${to} of the address space on, is outside of it`;
  return { key: 'by', message, hint: `by is ${-first} to ${raw.addressPages - first - pages} here` };
}

/** Declares a kind. Its parameters have gone through its own schema when `make` gets them. */
export function actorKind<P extends TargetDraft>(kind: TypedActorKind<P>): ActorKind {
  return kind as unknown as ActorKind;
}

/** What an actor works on: a run of pages, one page, a process as a whole, or nothing of the kind. */
type Takes = 'pages' | 'page' | 'process' | 'nothing';

/** The keys that say what an actor works on, with those of its own. */
export function actorParams<P extends TargetDraft>(own: z.core.$ZodShape = {}, takes: Takes = 'pages'): z.ZodType<P> {
  return strict({ ...targetShape(takes), ...own }) as unknown as z.ZodType<P>;
}

function targetShape(takes: Takes): z.core.$ZodShape {
  if (takes === 'nothing') return {};
  const process = nameOf().optional().describe('default: the first process');
  if (takes === 'process') return { process };
  const page = z
    .int({ error: 'expected a page number, counted from the start of the VMA' })
    .min(0)
    .max(4096)
    .optional()
    .describe('first page, counted from the start of the VMA; default 0');
  const vma = nameOf().optional().describe('default: the first VMA of the process');
  if (takes === 'page') return { process, vma, page };
  const pages = z.int().min(1).max(4096).optional().describe('how many; default one, or all of the VMA from there');
  return { process, vma, page, pages };
}
