/** Defaults and checks of `damon`: units become DAMON's own, names become known, the kernel's refusals come with their place. */
import {
  DAMON_PROFILES,
  type DamonProfile,
  DEFAULT_ATTRIBUTES,
  damonProfileOf,
  type MonitoringAttributes,
  maxNrAccesses,
  validateAttributes,
} from '@thplab/damos-actions';
import { checkAgainstProfile, processesOfDamo, readQuietly } from '../damo/damo-scenario.js';
import { readKdamondsDocument } from '../damo/read-kdamonds.js';
import { ANY_SCHEME, type Context, findProcess } from './context.js';
import type { DraftDamon, DraftDamonTarget, DraftKdamond } from './draft-damon.js';
import { damonRange, refused } from './normalise-damon-range.js';
import { normaliseScheme } from './normalise-damon-scheme.js';
import { formatKey, type KeyPath } from './problems.js';
import type { DamonSpec, DamonTargetSpec, KdamondSpec } from './scenario-damon.js';

const NS_PER_US = 1000;
const DEFAULT_UPDATE_NS = 1e9;

/** The kdamonds of a scenario; none if it says nothing. */
export function normaliseDamon(context: Context, draft: DraftDamon | undefined, path: KeyPath): DamonSpec {
  const profile = draft?.profile ?? null;
  const rules = DAMON_PROFILES.find(({ name }) => name === profile) ?? damonProfileOf(context.machine.kernel);
  // A bare list is `kdamonds` itself.
  const at = draft?.bare === true ? path : [...path, 'kdamonds'];
  const drafts = draft?.kdamonds ?? [];
  const file = typeof draft?.damo === 'string' ? draft.damo : null;
  const inline = draft?.damo === undefined || file !== null ? [] : fromDamo(context, draft, rules, [...path, 'damo']);
  const own = drafts.map((one, index) => kdamond(context, one, index, rules, [...at, index]));
  const kdamonds = [...own, ...inline];
  for (const [pid, name] of Object.entries(draft?.pids ?? {})) findProcess(context, name, [...path, 'pids', pid]);
  for (const [index, { name }] of kdamonds.entries()) {
    if (kdamonds.findIndex((other) => other.name === name) === index) continue;
    context.report([...at, index, 'name'], `two kdamonds are called ${JSON.stringify(name)}`, 'give each its own name');
  }
  const absolute = file === null || file.startsWith('/') ? file : `${context.folder}${file}`;
  return { key: formatKey(path), profile, pingPong: null, file: absolute, pids: draft?.pids ?? {}, kdamonds };
}

/** Kdamonds of a damo document that stands in the scenario, checked as the others are. */
function fromDamo(context: Context, draft: DraftDamon, profile: DamonProfile, path: KeyPath): KdamondSpec[] {
  const names = [...context.processes.keys()];
  const read = readKdamondsDocument(draft.damo, path, {
    memcgs: context.memcgs,
    report: (at, message, hint) => context.report(at, message, hint),
    pageSize: context.machine.pageSize,
    ...processesOfDamo(names, draft.pids ?? {}),
  });
  for (const spec of read) {
    checkAgainstProfile(spec, profile, (message, hint) => context.report(path, message, hint, 'key'));
  }
  return read;
}

/** Makes known what expectations may name; a scheme's name alone only where no other kdamond has it too. */
export function registerDamonNames(context: Context, draft: DraftDamon | undefined): void {
  const twice = new Set<string>();
  if (typeof draft?.damo === 'string') context.schemes.add(ANY_SCHEME);
  else if (draft?.damo !== undefined) {
    for (const { name, schemes } of readQuietly(draft.damo)) {
      context.kdamonds.add(name);
      for (const scheme of schemes) context.schemes.add(scheme.name).add(`${name}.${scheme.name}`);
    }
  }
  for (const [index, one] of (draft?.kdamonds ?? []).entries()) {
    const name = one.name ?? defaultName(index);
    context.kdamonds.add(name);
    for (const scheme of one.schemes ?? []) {
      const own = scheme.name ?? scheme.action;
      if (context.schemes.has(own)) twice.add(own);
      context.schemes.add(own);
      context.schemes.add(`${name}.${own}`);
    }
  }
  for (const name of twice) context.schemes.delete(name);
}

function defaultName(index: number): string {
  return `kdamond-${index}`;
}

function kdamond(
  context: Context,
  draft: DraftKdamond,
  index: number,
  profile: DamonProfile,
  path: KeyPath,
): KdamondSpec {
  const operations = draft.operations ?? 'vaddr';
  const attributes = attributesOf(context, draft, profile, path);
  if (draft.addrUnit !== undefined && operations !== 'paddr') {
    context.report([...path, 'addrUnit'], `addrUnit with ${operations}`, 'only physical addresses have units', 'key');
  }
  if (draft.pause === true && !profile.pause) {
    const hint = 'remove it, or set another damon.profile';
    context.report([...path, 'pause'], `DAMON ${profile.name} has no pause`, hint, 'key');
  }
  if (draft.stop !== undefined && draft.stop <= (draft.start ?? 0)) {
    context.report([...path, 'stop'], 'it stops before it starts', 'expected a time after start');
  }
  const targets = (draft.targets ?? []).map((one, i) => target(context, one, operations, [...path, 'targets', i]));
  if (operations === 'paddr' ? targets.length > 1 : targets.length === 0) {
    const [what, hint] =
      operations === 'paddr'
        ? ['physical memory is one target', 'keep one']
        : [`${operations} without targets`, 'expected targets: the name of a process, or a list of targets'];
    context.report(operations === 'paddr' ? [...path, 'targets'] : path, what, hint, 'key');
  }
  const schemes = (draft.schemes ?? []).map((one, i) =>
    normaliseScheme(context, one, { attributes, profile, operations, targets: targets.length }, [
      ...path,
      'schemes',
      i,
    ]),
  );
  for (const [i, { name }] of schemes.entries()) {
    if (schemes.findIndex((other) => other.name === name) === i) continue;
    const hint = 'give each a name of its own';
    context.report([...path, 'schemes', i], `two schemes are called ${JSON.stringify(name)}`, hint, 'key');
  }
  return {
    key: formatKey(path),
    name: draft.name ?? defaultName(index),
    operations,
    attributes,
    pause: draft.pause ?? false,
    targets: targets.length === 0 ? [{ key: formatKey(path), process: null, ranges: [] }] : targets,
    schemes,
    start: draft.start ?? 0,
    stop: draft.stop ?? null,
    seed: draft.seed ?? null,
    locks: draft.locks ?? 'batch',
  };
}

function attributesOf(
  context: Context,
  draft: DraftKdamond,
  profile: DamonProfile,
  path: KeyPath,
): MonitoringAttributes {
  const { intervals, autotune, regions } = draft;
  const us = (ns: number | undefined, otherwise: number): number =>
    ns === undefined ? otherwise : Math.floor(ns / NS_PER_US);
  const addrUnit = draft.addrUnit ?? 1;
  const attributes: MonitoringAttributes = {
    sampleIntervalUs: us(intervals?.sample, DEFAULT_ATTRIBUTES.sampleIntervalUs),
    aggrIntervalUs: us(intervals?.aggr, DEFAULT_ATTRIBUTES.aggrIntervalUs),
    opsUpdateIntervalUs: us(intervals?.update ?? DEFAULT_UPDATE_NS, 0),
    minNrRegions: regions?.min ?? DEFAULT_ATTRIBUTES.minNrRegions,
    maxNrRegions: regions?.max ?? DEFAULT_ATTRIBUTES.maxNrRegions,
    addrUnit,
    minRegionSize: draft.minRegionSize ?? Math.max(1, Math.floor(context.machine.pageSize / addrUnit)),
    intervalsGoal:
      autotune === undefined
        ? DEFAULT_ATTRIBUTES.intervalsGoal
        : {
            accessBp: Math.round(autotune.access * 10_000),
            aggrs: autotune.aggrs,
            minSampleUs: us(autotune.minSample, 0),
            maxSampleUs: us(autotune.maxSample, 0),
          },
  };
  if (autotune !== undefined && !profile.intervalsTuning) {
    context.report([...path, 'autotune'], `DAMON ${profile.name} does not tune intervals`, 'remove it', 'key');
  }
  refused(context, path, () => validateAttributes(attributes));
  if (maxNrAccesses(attributes) === 0) {
    context.report([...path, 'intervals'], 'an aggregation has no sample', 'expected aggr to be at least sample');
  }
  return attributes;
}

function target(context: Context, draft: DraftDamonTarget, operations: string, path: KeyPath): DamonTargetSpec {
  const process = draft.process ?? null;
  if ((process === null) !== (operations === 'paddr')) {
    const [what, hint] =
      process === null
        ? [`a target of ${operations} without process`, 'say whose memory']
        : ['physical memory belongs to no process', 'remove process, or take operations: vaddr'];
    context.report(path, what, hint, 'key');
  }
  if (process !== null) findProcess(context, process, [...path, 'process']);
  if (operations === 'fvaddr' && (draft.ranges ?? []).length === 0) {
    context.report(path, 'fvaddr has the regions that it is given', 'expected ranges such as {vma: heap}', 'key');
  }
  const ranges = (draft.ranges ?? []).map((one, i) => damonRange(context, one, process, [...path, 'ranges', i]));
  return { key: formatKey(path), process, ranges };
}
