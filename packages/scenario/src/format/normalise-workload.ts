/** Defaults and checks of `workload` and `machine.tlb`: one pattern each, parameters that belong to it, units resolved. */
import { NEOVERSE, NO_TLB, SKYLAKE, TLB_PRESETS, type TlbSpec } from '@thplab/mm-model';
import { type Context, findProcess } from './context.js';
import type { DraftPart, DraftPhase, DraftTlb, DraftWorkload } from './draft-workload.js';
import { normaliseRange } from './normalise-target.js';
import { formatKey, type KeyPath } from './problems.js';
import type { Span } from './scenario.js';
import type { WorkloadSpec, WorkPartSpec, WorkSource, WorkTimes } from './scenario-workload.js';
import { formatSize } from './units.js';

/** Bytes of one access where only bytes in a second are given: a line of the cache. */
const ACCESS_BYTES = 64;

const PLACE_KEYS = ['vma', 'blocks', 'offset', 'address', 'size'] as const;
const SOURCE_KEYS = ['pattern', 'masim', 'record'] as const;
/** Parameters of one pattern only. */
const PARAMETERS = {
  exponent: 'zipf',
  scattered: 'zipf',
  step: 'sequential',
  every: 'stride',
  page: 'onePerBlock',
} as const;

/** What is done to memory, by file order. */
export function normaliseWorkload(context: Context, drafts: readonly DraftWorkload[], path: KeyPath): WorkloadSpec[] {
  return drafts.map((draft, index) => {
    const at = [...path, index];
    return {
      key: formatKey(at),
      name: draft.name ?? `workload-${index}`,
      form: draft.form ?? 'auto',
      seed: draft.seed ?? null,
      parts: partsOf(context, draft, at),
    };
  });
}

function partsOf(context: Context, draft: DraftWorkload, path: KeyPath): WorkPartSpec[] {
  const start = draft.start ?? 0;
  if (draft.phases === undefined) {
    if (draft.repeat !== undefined) context.report([...path, 'repeat'], 'repeat without phases', 'remove it', 'key');
    const times = { start, length: draft.for ?? null, every: null };
    return onePart(context, draft.process, draft, {}, times, path);
  }
  for (const key of SOURCE_KEYS) {
    if (draft[key] === undefined) continue;
    context.report([...path, key], `${key} beside phases`, 'put it into the phases', 'key');
  }
  if (draft.for !== undefined) {
    context.report([...path, 'for'], 'for beside phases', 'the phases say how long they are', 'key');
  }
  const total = draft.phases.reduce((sum, one) => sum + one.for, 0);
  let at = start;
  return draft.phases.flatMap((phase, index) => {
    const times = { start: at, length: phase.for, every: draft.repeat === true ? total : null };
    at += phase.for;
    return phasePart(context, draft, phase, times, [...path, 'phases', index]);
  });
}

function phasePart(
  context: Context,
  draft: DraftWorkload,
  phase: DraftPhase,
  times: WorkTimes,
  path: KeyPath,
): WorkPartSpec[] {
  for (const file of ['masim', 'record'] as const) {
    if (phase[file] === undefined) continue;
    const hint = 'it has its own phases: put it into an entry of its own';
    context.report([...path, file], `${file} in a phase`, hint, 'key');
  }
  if (phase.idle !== true) return onePart(context, draft.process, phase, draft, times, path);
  const key = SOURCE_KEYS.find((one) => phase[one] !== undefined);
  if (key !== undefined) context.report([...path, key], `${key} in an idle phase`, 'keep one of them', 'key');
  return [];
}

/** `outer`: where a phase takes what it does not say itself. */
function onePart(
  context: Context,
  process: string,
  draft: DraftPart,
  outer: DraftPart,
  active: WorkTimes,
  path: KeyPath,
): WorkPartSpec[] {
  const source = sourceOf(context, draft, path);
  if (source === null) return [];
  const inherited = PLACE_KEYS.some((key) => draft[key] !== undefined) ? draft : { ...outer, ...draft };
  const span = spanOf(context, process, inherited, source, path);
  const rate = draft.rate ?? (draft.bandwidth === undefined ? outer.rate : undefined);
  const bandwidth = draft.bandwidth ?? (draft.rate === undefined ? outer.bandwidth : undefined);
  return [
    {
      key: formatKey(path),
      span,
      source,
      perSecond: perSecond(context, rate, bandwidth, source, path),
      write: draft.write ?? outer.write ?? 1,
      active,
    },
  ];
}

function perSecond(
  context: Context,
  rate: number | undefined,
  bandwidth: number | undefined,
  source: WorkSource,
  path: KeyPath,
): number {
  if (rate !== undefined && bandwidth !== undefined) {
    context.report([...path, 'bandwidth'], 'rate and bandwidth', 'keep one of them', 'key');
  }
  if (rate !== undefined) return rate;
  if (bandwidth !== undefined) return bandwidth / bytesOfAccess(context, source);
  // A record has the rate of its samples.
  if (source.kind !== 'record') {
    context.report(path, 'this does not say how often', 'expected rate (accesses in a second) or bandwidth', 'key');
  }
  return 0;
}

function bytesOfAccess(context: Context, source: WorkSource): number {
  return source.kind === 'sweep' && source.step <= context.machine.pageSize ? source.step : ACCESS_BYTES;
}

function sourceOf(context: Context, draft: DraftPart, path: KeyPath): WorkSource | null {
  const given = SOURCE_KEYS.filter((key) => draft[key] !== undefined);
  if (given.length === 0) {
    context.report(path, 'this does not say what is accessed', 'expected pattern, masim, record, or phases', 'key');
    return null;
  }
  if (given.length > 1) {
    context.report([...path, given[1]], `${given.join(' and ')} in one entry`, 'write one entry for each', 'key');
  }
  for (const [key, pattern] of Object.entries(PARAMETERS)) {
    if (draft[key as keyof typeof PARAMETERS] === undefined || draft.pattern === pattern) continue;
    context.report([...path, key], `${key} belongs to the pattern ${pattern}`, 'remove it', 'key');
  }
  if (draft.masim !== undefined) return { kind: 'masim', file: fileOf(context, draft.masim) };
  if (draft.record !== undefined) return { kind: 'record', file: fileOf(context, draft.record) };
  return patternOf(context, draft, path);
}

function patternOf(context: Context, draft: DraftPart, path: KeyPath): WorkSource {
  const { pageSize, blockSize } = context.machine;
  switch (draft.pattern) {
    case 'zipf':
      return { kind: 'zipf', exponent: draft.exponent ?? 0.99, scattered: draft.scattered ?? true };
    case 'sequential':
      return { kind: 'sweep', first: 0, step: draft.step ?? pageSize };
    case 'stride':
      if (draft.every === undefined) context.report(path, 'stride without every', 'expected every: 64K', 'key');
      return { kind: 'sweep', first: 0, step: draft.every ?? pageSize };
    case 'onePerBlock': {
      const page = draft.page ?? 0;
      const pages = blockSize / pageSize;
      if (page >= pages) context.report([...path, 'page'], `there is no page ${page}`, `they are 0 to ${pages - 1}`);
      return { kind: 'sweep', first: page * pageSize, step: blockSize };
    }
    case 'heat':
      return { kind: 'heat' };
    default:
      return { kind: 'uniform' };
  }
}

function fileOf(context: Context, name: string): string {
  return name.startsWith('/') ? name : context.folder + name;
}

function spanOf(context: Context, process: string, draft: DraftPart, source: WorkSource, path: KeyPath): Span {
  const somewhere = PLACE_KEYS.some((key) => draft[key] !== undefined);
  const ofAll = source.kind === 'masim' || source.kind === 'record' || source.kind === 'heat';
  const place = Object.fromEntries(PLACE_KEYS.map((key) => [key, draft[key]]));
  if (somewhere || !ofAll) return normaliseRange(context, { process, ...place }, path);
  findProcess(context, process, [...path, 'process']);
  return { process, vma: null, start: 0, length: 2 ** 47 };
}

/** The TLB of the machine: what the file says; null: none is modelled. `needed`: somebody accesses memory. */
export function normaliseTlb(context: Context, draft: DraftTlb | undefined, needed: boolean): TlbSpec | null {
  if (draft === undefined) return needed ? usual(context) : null;
  if (draft.preset === 'none') return NO_TLB;
  const base = TLB_PRESETS[draft.preset ?? usual(context).name];
  const spec: TlbSpec = {
    name: draft.name ?? (draft.levels === undefined ? base.name : 'own'),
    levels: (draft.levels ?? base.levels).map((level) =>
      level.map(({ entries, ways, sizes, replacement }) => ({
        entries,
        sizes,
        ...(ways === undefined ? {} : { ways }),
        ...(replacement === undefined ? {} : { replacement }),
      })),
    ),
    contiguous: draft.contiguous ?? base.contiguous ?? [],
    contiguousNeedsFolio: draft.contiguousNeedsFolio ?? base.contiguousNeedsFolio ?? true,
    asids: draft.asids ?? base.asids ?? 65_536,
    cycles: {
      secondLevelHit: draft.cycles?.secondLevelHit ?? base.cycles.secondLevelHit,
      walkHuge: draft.cycles?.walkHuge ?? base.cycles.walkHuge,
      walkBase: draft.cycles?.walkBase ?? base.cycles.walkBase,
    },
    gigahertz: draft.gigahertz ?? base.gigahertz,
  };
  checkTlb(context, spec);
  return spec;
}

/** Processors with larger base pages are Arm's. */
function usual({ machine }: Context): TlbSpec {
  return machine.pageSize === 4096 ? SKYLAKE : NEOVERSE;
}

function checkTlb(context: Context, spec: TlbSpec): void {
  for (const [level, arrays] of spec.levels.entries()) {
    for (const [index, { entries, ways = entries, sizes }] of arrays.entries()) {
      const path = ['machine', 'tlb', 'levels', level, index];
      if (entries % ways !== 0) {
        const hint = `expected a divisor of ${entries}, or ${entries} for a fully associative array`;
        context.report([...path, 'ways'], `${ways} ways do not divide ${entries} entries`, hint);
      }
      const odd = sizes.find((bytes) => !Number.isInteger(Math.log2(bytes)));
      if (odd !== undefined)
        context.report([...path, 'sizes'], `${formatSize(odd)} is no page size`, 'expected 4K, 2M, ...');
    }
  }
}
