/** Timed events: exactly one action each, names and ranges resolved, in the order of their time. */
import { type Context, findProcess } from './context.js';
import type { DraftEvent } from './draft.js';
import { normaliseCounters, normaliseExpect } from './normalise-expect.js';
import { hintAction } from './normalise-hints.js';
import { orderOf } from './normalise-machine.js';
import { checkCpu, normaliseVma, registerEventNames } from './normalise-process.js';
import { normalisePagesTarget, normaliseRange } from './normalise-target.js';
import { formatKey, type KeyPath } from './problems.js';
import type { EventAction, ScenarioEvent, SysfsWrite } from './scenario.js';
import { ACTIONS } from './schema-events.js';

type ActionName = (typeof ACTIONS)[number];
type ActionDraft<K extends ActionName> = NonNullable<DraftEvent[K]>;
type Makers = {
  [K in ActionName]: (context: Context, draft: ActionDraft<K>, path: KeyPath, event: DraftEvent) => EventAction;
};

/** The events by time; events of one time keep the order of the file. */
export function normaliseEvents(context: Context, drafts: readonly DraftEvent[]): ScenarioEvent[] {
  const ordered = drafts
    .map((draft, index) => ({ draft, path: ['events', index] as KeyPath }))
    .sort((a, b) => a.draft.at - b.draft.at);
  const starts = registerEventNames(context, ordered);
  const make = makers(starts);
  return ordered.flatMap(({ draft, path }) => {
    const name = actionName(context, draft, path);
    if (name === null) return [];
    checkCpu(context, draft.cpu, [...path, 'cpu']);
    const at = [...path, name];
    const build = make[name] as (context: Context, draft: unknown, path: KeyPath, event: DraftEvent) => EventAction;
    return [
      {
        key: formatKey(path),
        at: draft.at,
        repeat: draft.repeat === undefined ? null : { every: draft.repeat.every, times: draft.repeat.times ?? null },
        cpu: draft.cpu ?? null,
        action: build(context, draft[name], at, draft),
        expect:
          draft.expect === undefined
            ? null
            : {
                errno: draft.expect.errno ?? null,
                counters: normaliseCounters(context, draft.expect.counters ?? {}, [...path, 'expect', 'counters']),
              },
      },
    ];
  });
}

function actionName(context: Context, draft: DraftEvent, path: KeyPath): ActionName | null {
  const given = ACTIONS.filter((name) => draft[name] !== undefined);
  if (given.length === 1) return given[0];
  if (given.length === 0) {
    context.report(path, 'this event does nothing', `expected one of ${ACTIONS.join(', ')}`, 'key');
  } else {
    context.report([...path, given[1]], `${given.join(' and ')} in one event`, 'write one event for each', 'key');
  }
  return null;
}

/** Writes in file order; `mayFail`: the file expects an error, so bad values are its point. */
export function normaliseSysfs(
  context: Context,
  draft: Readonly<Record<string, string>>,
  path: KeyPath,
  mayFail: boolean,
): SysfsWrite[] {
  return Object.entries(draft).map(([name, value]) => {
    const refused = mayFail ? null : context.sysfs.refuseWrite(name, value);
    if (refused !== null) {
      const which = refused.message.includes('fails with') ? 'value' : 'key';
      context.report([...path, name], refused.message, refused.hint, which);
    }
    return { path: context.sysfs.absolute(name), value };
  });
}

function makers(starts: ReadonlyMap<DraftEvent, number | null>): Makers {
  return { ...PAGE_ACTIONS, ...RANGE_ACTIONS, ...PROCESS_ACTIONS, mmap: mmapMaker(starts) };
}

const PAGE_ACTIONS: Pick<Makers, 'hint' | 'fault' | 'access' | 'pin' | 'unpin' | 'lock' | 'unlock' | 'swapout'> = {
  hint: hintAction,
  fault: (context, draft, path) => ({
    kind: 'fault',
    ...normalisePagesTarget(context, draft, path),
    write: draft.write ?? true,
    order: draft.direction ?? 'ascending',
    over: draft.over ?? 0,
  }),
  access: (context, draft, path) => ({
    kind: 'access',
    ...normalisePagesTarget(context, draft, path),
    write: draft.write ?? false,
    every: draft.every,
    duration: draft.for ?? null,
  }),
  pin: (context, draft, path) => ({
    kind: 'pin',
    ...normalisePagesTarget(context, draft, path),
    duration: draft.for ?? null,
  }),
  unpin: (context, draft, path) => ({ kind: 'unpin', ...normalisePagesTarget(context, draft, path) }),
  lock: (context, draft, path) => ({
    kind: 'lock',
    ...normalisePagesTarget(context, draft, path),
    duration: draft.for ?? null,
  }),
  unlock: (context, draft, path) => ({ kind: 'unlock', ...normalisePagesTarget(context, draft, path) }),
  swapout: (context, draft, path) => {
    if (context.machine.swap === 0) context.report(path, 'swapout without swap', 'set machine.swap', 'key');
    return { kind: 'swapout', ...normalisePagesTarget(context, draft, path) };
  },
};

const RANGE_ACTIONS: Pick<Makers, 'madvise' | 'munmap' | 'mremap' | 'mprotect' | 'mlock' | 'munlock' | 'uffd'> = {
  madvise: (context, draft, path) => ({
    kind: 'madvise',
    span: normaliseRange(context, draft, path),
    advice: draft.advice,
  }),
  munmap: (context, draft, path) => ({ kind: 'munmap', span: normaliseRange(context, draft, path) }),
  mremap: (context, draft, path) => {
    const span = normaliseRange(context, draft, path);
    return { kind: 'mremap', span, to: draft.to ?? null, size: draft.newSize ?? span.length };
  },
  mprotect: (context, draft, path) => ({
    kind: 'mprotect',
    span: normaliseRange(context, draft, path),
    prot: draft.prot,
  }),
  mlock: (context, draft, path) => ({ kind: 'mlock', span: normaliseRange(context, draft, path) }),
  munlock: (context, draft, path) => ({ kind: 'munlock', span: normaliseRange(context, draft, path) }),
  uffd: (context, draft, path) => {
    const register = draft.call === 'register';
    if (register !== (draft.modes !== undefined)) {
      const hint = register ? 'expected modes: missing, wp, minor, or a list of them' : 'remove modes';
      context.report([...path, 'call'], `${draft.call} ${register ? 'needs' : 'takes no'} modes`, hint);
    }
    return { kind: 'uffd', span: normaliseRange(context, draft, path), call: draft.call, modes: draft.modes ?? [] };
  },
};

const PROCESS_ACTIONS: Pick<Makers, 'fork' | 'exit' | 'prctl' | 'sysfs' | 'failAllocation' | 'check'> = {
  fork: (_context, draft) => ({
    kind: 'fork',
    process: draft.process,
    as: draft.as,
    count: draft.count ?? 1,
    lifetime: draft.lifetime ?? null,
  }),
  exit: (context, draft, path) => {
    findProcess(context, draft.process, [...path, 'process']);
    return { kind: 'exit', process: draft.process };
  },
  prctl: (context, draft, path) => {
    findProcess(context, draft.process, [...path, 'process']);
    return { kind: 'prctl', process: draft.process, thp: draft.thp };
  },
  sysfs: (context, draft, path, event) => {
    const mayFail = event.expect?.errno !== undefined && event.expect.errno !== 'ok';
    return { kind: 'sysfs', writes: normaliseSysfs(context, draft, path, mayFail) };
  },
  failAllocation: (context, draft, path) => {
    const order =
      draft.order === undefined ? null : orderOf(draft.order, context.machine, context.report, [...path, 'order']);
    if (draft.nth !== undefined) return { kind: 'failAllocation', order, which: { kind: 'nth', n: draft.nth } };
    if (draft.every !== undefined) return { kind: 'failAllocation', order, which: { kind: 'every', n: draft.every } };
    return { kind: 'failAllocation', order, which: { kind: 'count', n: draft.count ?? 1 } };
  },
  check: (context, draft, path) => ({ kind: 'check', expect: normaliseExpect(context, draft, path) }),
};

function mmapMaker(starts: ReadonlyMap<DraftEvent, number | null>): Makers['mmap'] {
  return (context, draft, path, event) => {
    findProcess(context, draft.process, [...path, 'process']);
    const { process, ...vma } = draft;
    return { kind: 'mmap', process, vma: normaliseVma(context, vma, starts.get(event) ?? null, path) };
  };
}
