/** From a case to what the explore executor searches. */

import { type Machine, type MmId, mmgetNotZero, mmput, type Vpn } from '@thplab/mm-model';
import { collapsePointName, GENERATIONS } from '@thplab/mthp-collapse';
import { type ExploreActor, type ExploreCase, MIGHT_SLEEP, type Procedure } from '@thplab/sync';
import { scenarioError } from '../run/run-error.js';
import type { ActorKind, Refusal } from './actors/actor.js';
import { ACTOR_KINDS } from './actors/index.js';
import { buildStage, type StageOptions } from './build-stage.js';
import type { ActorSpec, CheckCase } from './format/check-case.js';
import { DetachedTables } from './invariants/detached-tables.js';
import { EndState } from './invariants/end-state.js';
import type { Invariant } from './invariants/invariant.js';
import type { Stage, StageProcess, StageVma, Target } from './stage.js';

/** How a case is prepared. */
export interface SubjectOptions extends StageOptions {
  /** Leave out schedules that differ only in the order of steps that commute; default true. */
  readonly reduction?: boolean;
}

const GUP_POINTS: readonly (string | undefined)[] = [undefined, 'gupRead', 'gupTaken'];

/** Builds the machine and the actors of a case. Errors: ScenarioError. */
export function subjectOf(check: CheckCase, options: SubjectOptions = {}): { subject: ExploreCase; stage: Stage } {
  const stage = buildStage(check, options);
  const actors = check.actors.map((spec) => actorOf(check, stage, spec, options));
  const bytes = new Uint8Array(stage.raw.arena.buffer);
  const start = bytes.slice();
  const { book, findings, holes, log } = stage;
  const atEnd = new EndState(stage, endInvariants(check));
  const tables = check.invariants.has('I3') ? new DetachedTables(stage) : undefined;
  const step = (): readonly string[] => {
    const found = tables?.finding();
    return found === undefined ? findings : [found];
  };
  const subject: ExploreCase = {
    name: check.name,
    domain: stage.m.domain,
    actors,
    current: stage.raw.current,
    reset: () => {
      bytes.set(start);
      log.restart(start);
      book.restart();
      findings.length = 0;
      holes.length = 0;
    },
    checkStep: step,
    check: () => atEnd.check(),
    labelOf: (label) =>
      (label === MIGHT_SLEEP ? 'may sleep' : undefined) ??
      collapsePointName(label) ??
      GUP_POINTS[label] ??
      String(label),
    ...(options.reduction === false ? {} : { log }),
  };
  return { subject, stage };
}

function actorOf(check: CheckCase, stage: Stage, spec: ActorSpec, options: SubjectOptions): ExploreActor {
  const kind = ACTOR_KINDS.find(({ name }) => name === spec.kind) as ActorKind;
  const target = targetOf(check, stage, spec, kind);
  const refusal =
    (options.fixed === true ? undefined : unsupported(check, stage, kind)) ??
    kind.refuses?.(stage, spec.params, target) ??
    repeated(check, spec, target.mm, stage);
  if (refusal !== undefined) {
    const key = refusal.key === '' ? '' : `.${spec.kind}.${refusal.key}`;
    throw scenarioError(check.locate, `${spec.key}${key}`, refusal.message, refusal.hint);
  }
  const made = kind.make(stage, spec.params, target);
  const ends = check.actors.some((other) => other.kind === 'exit');
  const procedure = kind.runsIn === 'process' && ends ? () => asUser(stage.m, target.mm, made) : made;
  return { name: spec.name, procedure };
}

/** Without `warnings` where somebody writes a value of max_ptes_none that the kernel rightly warns of. */
function endInvariants(check: CheckCase): ReadonlySet<Invariant> {
  const highest = 2 ** check.machine.pmdOrder - 1;
  const writes = [
    ...check.sysfs.map(({ path, value }) => ({ path, value })),
    ...check.actors.map(({ params }) => params as { readonly path?: string; readonly value?: string }),
  ].filter(({ path }) => path?.endsWith('khugepaged/max_ptes_none') === true);
  const usual = writes.every(({ value }) => Number(value) === 0 || Number(value) === highest);
  return usual ? check.invariants : new Set([...check.invariants].filter((one) => one !== 'warnings'));
}

/** Kernels without what the actor is about pass any case of it. */
function unsupported({ machine }: CheckCase, { collapse }: Stage, { name, needs }: ActorKind): Refusal | undefined {
  if (needs === undefined || collapse.generation[needs]) return undefined;
  const able = GENERATIONS.filter((one) => one[needs]).map((one) => one.name);
  const message = `kernel ${machine.kernel} has no ${needs}: ${name} does nothing there`;
  return { key: '', message, hint: `say "machine: { kernel: ${able[0]} }"` };
}

/** There is one khugepaged, and a process ends once. */
function repeated(check: CheckCase, spec: ActorSpec, mm: MmId, stage: Stage): Refusal | undefined {
  const before = check.actors.slice(0, check.actors.indexOf(spec)).filter(({ kind }) => kind === spec.kind);
  if (spec.kind === 'khugepaged' && before.length > 0) {
    return {
      key: '',
      message: 'there is a khugepaged already',
      hint: 'the kernel has one; use collapse-range for more',
    };
  }
  const processOf = ({ params }: ActorSpec): MmId | undefined =>
    (params.process === undefined ? [...stage.processes.values()][0] : stage.processes.get(params.process))?.mm;
  if (spec.kind !== 'exit' || !before.some((other) => processOf(other) === mm)) return undefined;
  return { key: '', message: 'the process ends twice', hint: 'one exit per process' };
}

/** A thread of a process whose other threads may end: the address space stays until the last of them has. */
function* asUser(m: Machine, mm: MmId, made: () => Procedure<void>): Procedure<void> {
  if (!mmgetNotZero(m, mm)) return;
  yield* made();
  yield* mmput(m, mm);
}

function targetOf(check: CheckCase, { processes }: Stage, spec: ActorSpec, kind: ActorKind): Target {
  const refuse = (key: string, message: string, hint: string): never => {
    throw scenarioError(check.locate, `${spec.key}.${spec.kind}.${key}`, message, hint);
  };
  const { params } = spec;
  const [first] = processes.values();
  const process = params.process === undefined ? (first as StageProcess) : processes.get(params.process);
  if (process === undefined) {
    return refuse(
      'process',
      `there is no process "${params.process}"`,
      `expected one of ${[...processes.keys()].join(', ')}`,
    );
  }
  const vma = params.vma === undefined ? ([...process.vmas.values()][0] as StageVma) : process.vmas.get(params.vma);
  if (vma === undefined) {
    const names = [...process.vmas.keys()].join(', ');
    return refuse('vma', `${process.name} has no VMA "${params.vma ?? ''}"`, `expected one of ${names}`);
  }
  const page = params.page ?? 0;
  const pages = params.pages ?? (kind.covers === 'page' ? 1 : vma.pages - page);
  if (page >= vma.pages) {
    return refuse('page', `there is no page ${page} in "${vma.name}"`, `it has ${vma.pages} pages, from 0`);
  }
  if (page + pages > vma.pages || pages < 1) {
    return refuse('page', `page ${page} to ${page + pages - 1} of "${vma.name}"`, `it has ${vma.pages} pages, from 0`);
  }
  const text = `page ${page} of ${process.name}:${vma.name}`;
  return { mm: process.mm, first: (vma.start + page) as Vpn, pages, vma, text };
}
