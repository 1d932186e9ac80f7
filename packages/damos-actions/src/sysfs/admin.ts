/**
 * DAMON's sysfs interface with what is behind it: each kdamond folder's state machine and the commands of its `state` file
 * (DAMON spec 6.2). One command runs at a time; whoever comes meanwhile gets EBUSY.
 *
 *   [none] ── on ──► running ── off ──► stopped ── on ──► running
 *                       └── all targets gone ──► stopped           (the last context stays for its statistics)
 */
import { type Machine, MemcgPaths } from '@thplab/mm-model';
import type { CollapseContext } from '@thplab/mthp-collapse';
import type { Procedure } from '@thplab/sync';
import type { DamonTreeName } from '@thplab/sysfs-schema';
import type { TraceEmitter } from '@thplab/trace';
import type { AccessLocking } from '../access/access-checks.js';
import {
  commitDamon,
  commitQuotaGoals,
  createDamon,
  destroyDamon,
  isRunning,
  type StartThread,
  startDamon,
  stopDamon,
} from '../create.js';
import type { Damon, DamonObserver, SplitGuard } from '../damon.js';
import { type DamonErrno, DamonError } from '../errors.js';
import type { DamonEvents } from '../events.js';
import { readAttributes } from '../monitor/attributes.js';
import type { DamonProfile } from '../profile.js';
import { damonCall } from '../requests.js';
import { type MmOfPid, type Named, readContextFolder, readGoals } from './context-of-files.js';
import { DamonFiles, type DamonWriteOutcome } from './files.js';
import type { DamonFolder } from './folder.js';
import { showEffectiveQuotas, showStats, showTunedIntervals, walkTriedRegions } from './shown.js';

/** What no file says about a kdamond. */
export interface KdamondExtras {
  readonly seed?: number;
  readonly locking?: AccessLocking;
  readonly minRegionSize?: number;
  readonly observer?: DamonObserver;
  readonly splitGuard?: SplitGuard;
}

/** What the interface stands on. */
export interface DamonAdminConfig {
  readonly machine: Machine;
  readonly profile: DamonProfile;
  readonly tree: DamonTreeName;
  readonly collapse?: CollapseContext;
  readonly tracer?: TraceEmitter<DamonEvents>;
  /** Starts a kdamond's thread and gives its pid. */
  readonly startThread: (...args: Parameters<StartThread>) => number;
  readonly mmOfPid: MmOfPid;
  /** The machine's memory cgroups; default: the root alone. */
  readonly memcgs?: MemcgPaths;
  /** Told of each context that is made, before it starts. */
  readonly created?: (kdamond: number, damon: Damon) => void;
  readonly extras?: (kdamond: number) => KdamondExtras;
}

const DONE: DamonWriteOutcome = { ok: true };

/** See the head of the file. */
export class DamonAdmin {
  readonly files: DamonFiles;
  readonly #config: DamonAdminConfig;
  /** The context that runs or ran last, by number of the kdamond. */
  readonly #contexts: (Damon | undefined)[] = [];
  readonly #memcgs: MemcgPaths;
  #busy = false;

  constructor(config: DamonAdminConfig) {
    this.#config = config;
    this.#memcgs = config.memcgs ?? new MemcgPaths(config.machine);
    this.files = new DamonFiles(config.tree, config.machine.pmdOrder);
  }

  /** The context of a kdamond that runs, or ran last. */
  context(kdamond: number): Damon | undefined {
    return this.#contexts[kdamond];
  }

  /** What a read shows, newline included; undefined: there is no such file now. */
  read(path: string): string | undefined {
    this.#showStates();
    return this.files.read(path);
  }

  /** Writes a file, as `echo VALUE > PATH` does. */
  *write(path: string, text: string): Procedure<DamonWriteOutcome> {
    const place = this.files.find(path);
    if ('errno' in place) return { ok: false, ...place };
    const { file, folder } = place;
    const isCommand = file.grammar.kind === 'command';
    if (!isCommand && file.name !== 'nr_kdamonds') return this.files.write(place, text);
    if (this.#busy) return refused('EBUSY', 'another command is on its way');
    if (!isCommand) return this.#writeNrKdamonds(() => this.files.write(place, text));
    const word =
      file.grammar.kind === 'command' ? file.grammar.words.find((one) => one === text.replace(/\n$/, '')) : '';
    if (word === undefined) {
      const words = file.grammar.kind === 'command' ? file.grammar.words.join(', ') : '';
      return refused('EINVAL', `state: ${JSON.stringify(text.slice(0, 40))} is no command; it takes one of ${words}`);
    }
    this.#busy = true;
    try {
      return yield* this.#command(Number(folder.path.split('/')[1]), folder, word);
    } catch (error) {
      if (!(error instanceof DamonError)) throw error;
      return refused(error.errno, error.message.replace(`${error.errno}: `, ''));
    } finally {
      this.#busy = false;
    }
  }

  #writeNrKdamonds(write: () => DamonWriteOutcome): DamonWriteOutcome {
    if (this.#contexts.some((damon) => damon !== undefined && isRunning(damon))) {
      return refused('EBUSY', 'nr_kdamonds: a kdamond runs; write off to its state first');
    }
    const outcome = write();
    if (outcome.ok) for (const damon of this.#contexts.splice(0)) if (damon !== undefined) destroyDamon(damon);
    return outcome;
  }

  *#command(kdamond: number, folder: DamonFolder, word: string): Procedure<DamonWriteOutcome> {
    const damon = this.#contexts[kdamond];
    if (word === 'off') {
      if (damon === undefined) return refused('EINVAL', 'it was never on');
      if (isRunning(damon)) yield* stopDamon(damon);
      return DONE;
    }
    const [context] = folder.folder('contexts').numbered();
    if (context === undefined) return refused('EINVAL', 'nr_contexts is 0; it takes 1');
    if (word === 'on') return this.#switchOn(kdamond, folder, context);
    if (damon === undefined) return refused('EINVAL', 'it was never on');
    return yield* this.#onContext(word, damon, context, folder);
  }

  #switchOn(kdamond: number, folder: DamonFolder, context: DamonFolder): DamonWriteOutcome {
    const { machine, profile, collapse, tracer, startThread, extras, created } = this.#config;
    const before = this.#contexts[kdamond];
    if (before !== undefined && isRunning(before)) return refused('EBUSY', 'it is on already');
    const { operations, attributes, targets, schemes, pause } = readContextFolder(context, this.#named('ENOMEM'));
    const { seed, locking, minRegionSize, observer, splitGuard } = extras?.(kdamond) ?? {};
    const damon = createDamon({
      machine,
      profile,
      operations,
      attributes: minRegionSize === undefined ? attributes : { ...attributes, minRegionSize },
      targets,
      schemes,
      pause,
      contextIndex: kdamond,
      observer: refreshing(folder, context, observer ?? {}),
      ...(splitGuard === undefined ? {} : { splitGuard }),
      ...(seed === undefined ? {} : { seed }),
      ...(locking === undefined ? {} : { locking }),
      ...(collapse === undefined ? {} : { collapse }),
      ...(tracer === undefined ? {} : { tracer }),
    });
    if (before !== undefined) destroyDamon(before);
    this.#contexts[kdamond] = damon;
    created?.(kdamond, damon);
    startDamon(damon, (name, procedure, options) => {
      folder.set('pid', startThread(name, procedure, options));
    });
    return DONE;
  }

  *#onContext(word: string, damon: Damon, context: DamonFolder, folder: DamonFolder): Procedure<DamonWriteOutcome> {
    const { profile } = this.#config;
    switch (word) {
      case 'commit': {
        if (!isRunning(damon)) return refused('EINVAL', 'it is off');
        const { attributes, operations, ...rest } = readContextFolder(context, this.#named('EINVAL'));
        if (operations !== damon.operations) return refused('EINVAL', 'operations cannot change while it is on');
        const { minRegionSize } = readAttributes(damon);
        return outcomeOf(yield* commitDamon(damon, { attributes: { ...attributes, minRegionSize }, ...rest }));
      }
      case 'commit_schemes_quota_goals':
        return yield* this.#commitGoals(damon, context);
      case 'update_schemes_stats':
        return yield* shownBy(damon, () => showStats(damon, context));
      case 'update_schemes_effective_quotas':
        return yield* shownBy(damon, () => showEffectiveQuotas(damon, context));
      case 'update_tuned_intervals':
        return yield* shownBy(damon, () => showTunedIntervals(damon, context));
      case 'update_schemes_tried_bytes':
      case 'update_schemes_tried_regions':
        return outcomeOf(yield* walkTriedRegions(damon, context, word === 'update_schemes_tried_regions', profile));
      case 'clear_schemes_tried_regions':
        for (const scheme of context.folder('schemes').numbered()) scheme.folder('tried_regions').clearNumbered();
        return DONE;
      default:
        return refused('EINVAL', `${folder.path}/state: ${word} is not modelled`);
    }
  }

  *#commitGoals(damon: Damon, context: DamonFolder): Procedure<DamonWriteOutcome> {
    if (!isRunning(damon)) return refused('EINVAL', 'it is off');
    const goals = context
      .folder('schemes')
      .numbered()
      .map((scheme) => readGoals(scheme.folder('quotas'), this.#named('EINVAL')));
    for (const [index, one] of goals.entries()) {
      if (index >= damon.runningSchemes.length) break;
      const outcome = outcomeOf(yield* commitQuotaGoals(damon, index, one));
      if (!outcome.ok) return outcome;
    }
    return DONE;
  }

  #named(badScheme: Named['badScheme']): Named {
    return { mmOfPid: this.#config.mmOfPid, memcgs: this.#memcgs, badScheme };
  }

  /** `state` and `pid` show what is; they are brought up to date when somebody reads. */
  #showStates(): void {
    for (const [kdamond, folder] of this.files.kdamonds.numbered().entries()) {
      const damon = this.#contexts[kdamond];
      const on = damon !== undefined && isRunning(damon);
      folder.set('state', on ? 'on' : 'off');
      if (!on) folder.set('pid', '-1');
    }
  }
}

function refused(errno: DamonErrno, message: string): DamonWriteOutcome {
  return { ok: false, errno, message };
}

function outcomeOf(result: 0 | 'EBUSY' | 'ECANCELED'): DamonWriteOutcome {
  if (result === 0) return DONE;
  return refused(result, result === 'EBUSY' ? 'another walk is on its way' : 'the kdamond is off, or rests');
}

/** What a running kdamond shows it shows itself, between two samples; of one that is off the last values are there. */
function* shownBy(damon: Damon, show: () => void): Procedure<DamonWriteOutcome> {
  if (isRunning(damon)) return outcomeOf(yield* damonCall(damon, show));
  show();
  return DONE;
}

/** The observer, which also brings up to date what is shown, every `refresh_ms`. */
function refreshing(folder: DamonFolder, context: DamonFolder, observer: DamonObserver): DamonObserver {
  let shownNs = 0;
  return {
    ...observer,
    sampled: (damon) => {
      observer.sampled?.(damon);
      const everyNs = folder.number('refresh_ms') * 1e6;
      const { nowNs } = damon.m.current;
      if (everyNs === 0 || nowNs - shownNs < everyNs) return;
      shownNs = nowNs;
      showStats(damon, context);
      showEffectiveQuotas(damon, context);
      showTunedIntervals(damon, context);
    },
  };
}
