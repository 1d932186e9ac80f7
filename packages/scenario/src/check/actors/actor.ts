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
  /** What is wrong with the parameters in this case; undefined if nothing is. `key` is the one that is wrong. */
  readonly refuses?: (stage: Stage, params: P) => Refusal | undefined;
  /** Called once per case; what it gives is called once per schedule. */
  readonly make: (stage: Stage, params: P, target: Target) => () => Procedure<void>;
}

/** A kind of actor, whatever its parameters. */
export type ActorKind = TypedActorKind<TargetDraft>;

/** Declares a kind. Its parameters have gone through its own schema when `make` gets them. */
export function actorKind<P extends TargetDraft>(kind: TypedActorKind<P>): ActorKind {
  return kind as unknown as ActorKind;
}

/** The keys that every actor has, with those of its own. */
export function actorParams<P extends TargetDraft>(own: z.core.$ZodShape = {}): z.ZodType<P> {
  return strict({ ...targetShape(), ...own }) as unknown as z.ZodType<P>;
}

function targetShape(): z.core.$ZodShape {
  const page = z.int({ error: 'expected a page number, counted from the start of the VMA' }).min(0).max(4096);
  return {
    process: nameOf().optional().describe('default: the first process'),
    vma: nameOf().optional().describe('default: the first VMA of the process'),
    page: page.optional().describe('first page, counted from the start of the VMA; default 0'),
    pages: z.int().min(1).max(4096).optional().describe('how many; default one, or all of the VMA from there'),
  };
}
