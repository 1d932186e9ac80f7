/** Defaults and checks of `hints`, of the event `hint`, and of what is expected of them. */
import { GENERATIONS } from '@thplab/mthp-collapse';
import { type Context, findProcess } from './context.js';
import type {
  DraftDensity,
  DraftHintEvent,
  DraftHints,
  DraftHintsExpect,
  DraftPriority,
  DraftProducer,
} from './draft-hints.js';
import { normalisePagesTarget } from './normalise-target.js';
import { formatKey, type KeyPath } from './problems.js';
import type { EventAction } from './scenario-events.js';
import type { HintPriority, HintsExpectation, HintsSpec, ProducerSpec } from './scenario-hints.js';

const DEFAULT_LIMIT = 65_536;
const NS_PER_S = 1e9;

/** Null: the file says nothing about hints. */
export function normaliseHints(context: Context, draft: DraftHints | undefined, path: KeyPath): HintsSpec | null {
  if (draft === undefined) return null;
  const producers = (draft.producers ?? []).map((one, index) => producer(context, one, [...path, 'producers', index]));
  if (producers.length > 0) mustHaveHints(context, [...path, 'producers']);
  else if (draft.policy !== undefined && draft.policy !== 'none') mustHaveHints(context, [...path, 'policy']);
  return {
    key: formatKey(path),
    policy: draft.policy ?? null,
    limit: draft.limit ?? DEFAULT_LIMIT,
    whenFull: draft.whenFull ?? 'error',
    hot: (draft.hot ?? []).map((one, index) => {
      const at = [...path, 'hot', index];
      return { key: formatKey(at), ...normalisePagesTarget(context, one, at) };
    }),
    producers,
  };
}

function mustHaveHints(context: Context, path: KeyPath): void {
  const { kernel } = context.machine;
  const able = GENERATIONS.filter(({ hints }) => hints).map(({ name }) => name);
  if (able.includes(kernel)) return;
  context.report(path, `kernel ${kernel} has no collapse hints`, `set machine.kernel: ${able.join(' or ')}`, 'key');
}

function producer(context: Context, draft: DraftProducer, path: KeyPath): ProducerSpec {
  if (draft.faults !== undefined) return density(context, 'faults', draft.faults, [...path, 'faults']);
  if (draft.tlb !== undefined) return density(context, 'tlb', draft.tlb, [...path, 'tlb']);
  if (draft.aging !== undefined) {
    const { process, every, generations, priority } = draft.aging;
    const at = [...path, 'aging'];
    if (process !== undefined) findProcess(context, process, [...at, 'process']);
    return {
      kind: 'aging',
      key: formatKey(at),
      process: process ?? null,
      every: every ?? 2 * NS_PER_S,
      generations: generations ?? 2,
      priority: priorityOf(priority),
    };
  }
  const { kdamond, above, urgent, every } = draft.heat ?? {};
  const at = [...path, 'heat'];
  const known = [...context.kdamonds];
  if (known.length === 0) {
    context.report(at, 'heat needs DAMON, and nothing is monitored', 'add damon: a list of kdamonds', 'key');
  } else if (kdamond !== undefined && !context.kdamonds.has(kdamond)) {
    const hint = `expected one of ${known.join(', ')}`;
    context.report([...at, 'kdamond'], `there is no kdamond ${JSON.stringify(kdamond)}`, hint);
  }
  return {
    kind: 'heat',
    key: formatKey(at),
    kdamond: kdamond ?? null,
    above: above ?? 0.5,
    urgent: urgent ?? 0.9,
    every: every ?? NS_PER_S,
  };
}

function density(context: Context, kind: 'faults' | 'tlb', draft: DraftDensity, path: KeyPath): ProducerSpec {
  const { process, count, within, priority } = draft;
  if (process !== undefined) findProcess(context, process, [...path, 'process']);
  return { kind, key: formatKey(path), process: process ?? null, count, within, priority: priorityOf(priority) };
}

/** The event `hint`. */
export function hintAction(context: Context, draft: DraftHintEvent, path: KeyPath): EventAction {
  mustHaveHints(context, path);
  const { maxOrder } = draft;
  if (maxOrder !== undefined && maxOrder > context.machine.pmdOrder) {
    const hint = `expected an order from 0 to ${context.machine.pmdOrder}`;
    context.report([...path, 'maxOrder'], `this machine has no order ${maxOrder}`, hint);
  }
  return {
    kind: 'hint',
    ...normalisePagesTarget(context, draft, path),
    priority: priorityOf(draft.priority, 0),
    maxOrder: maxOrder ?? null,
  };
}

export function normaliseHintsExpectation(draft: DraftHintsExpect, path: KeyPath): HintsExpectation {
  const of = (key: Exclude<keyof DraftHintsExpect, 'reasons'>) => draft[key] ?? null;
  return {
    key: formatKey(path),
    hot50: of('hot50'),
    hot90: of('hot90'),
    hot99: of('hot99'),
    hotHuge: of('hotHuge'),
    cold: of('cold'),
    queued: of('queued'),
    refused: of('refused'),
    served: of('served'),
    succeeded: of('succeeded'),
    dropped: of('dropped'),
    waiting: of('waiting'),
    contended: of('contended'),
    longestWait: of('longestWait'),
    starved: of('starved'),
    inversions: of('inversions'),
    reasons: draft.reasons ?? {},
  };
}

function priorityOf(priority: DraftPriority | undefined, otherwise: HintPriority = 1): HintPriority {
  if (priority === undefined) return otherwise;
  return priority === 'high' ? 0 : 1;
}
