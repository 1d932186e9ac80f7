/** From the scenario's `workload` to streams: names become ranges of pages, files become parts, forms are chosen. */
import { asBrand, getBit, Random } from '@thplab/arena';
import {
  findPmd,
  type Machine,
  type MmId,
  NO_PMD,
  PMD,
  PMD_YOUNG,
  pmdTable,
  pmdType,
  pteBit,
  type Vpn,
} from '@thplab/mm-model';
import type { DamonRecord } from '../damo/record.js';
import { formatCount, type Run, type Span, type WorkloadSpec, type WorkPartSpec } from '../format/index.js';
import type { Process } from '../run/process-table.js';
import { scenarioError } from '../run/run-error.js';
import { hashText } from '../run/seeds.js';
import type { World } from '../run/world.js';
import { type MasimConfig, MasimError, parseMasim } from './masim.js';
import { listPattern, type Pattern, type PatternRange, sweepPattern, uniformPattern, zipfPattern } from './patterns.js';
import { replayParts } from './record.js';
import { activeBefore, type Stream } from './stream.js';

/** Files that workloads name, by the path they are named by. */
export interface WorkloadFiles {
  readonly masim?: ReadonlyMap<string, string>;
  readonly records?: ReadonlyMap<string, readonly DamonRecord[]>;
}

/** A workload without a form is exact up to so many accesses. */
export const MOST_EXACT_ACCESSES = 5e6;
const MOST_STREAMS = 100_000;
/** More exact accesses than anybody waits for: some minutes. */
const MOST_EXACT_EVER = 1e9;

/** A stream on its way. */
type Draft = Omit<Stream, 'row' | 'part' | 'exact' | 'random'>;

/** The streams of a scenario whose processes exist. Errors: ScenarioError. */
export function buildStreams(world: World, files: WorkloadFiles): Stream[] {
  const { scenario } = world;
  const streams: Stream[] = [];
  let part = 1;
  for (const spec of scenario.workload) {
    const drafts = spec.parts.flatMap((part) => partStreams(world, spec, part, files)).filter(hasAccesses);
    const accesses = drafts.reduce(
      (sum, draft) => sum + (activeBefore(draft, scenario.run.atMost) / 1e9) * draft.perSecond,
      0,
    );
    const exact = spec.form === 'exact' || (spec.form === 'auto' && accesses <= MOST_EXACT_ACCESSES);
    if (exact && accesses > MOST_EXACT_EVER) {
      const what = `this makes about ${formatCount(Math.round(accesses))} accesses one by one`;
      const hint = `expected at most ${formatCount(MOST_EXACT_EVER)}: use form: analytic, or end the run earlier`;
      throw scenarioError(world.locate, spec.key, what, hint);
    }
    for (const draft of drafts) {
      const row = streams.length + 1;
      const key = hashText(`${draft.key}:${draft.process.name}:${row}`);
      const random = spec.seed === null ? new Random(scenario.seed, key) : new Random(spec.seed, row);
      streams.push({ ...draft, row, part, exact, random });
      if (!exact) part += blocksOf(draft, world.m.ptes);
    }
    if (streams.length > MOST_STREAMS) {
      const what = `this makes ${formatCount(streams.length)} streams of accesses`;
      throw scenarioError(world.locate, spec.key, what, `expected at most ${formatCount(MOST_STREAMS)}`);
    }
  }
  return streams;
}

/** Blocks that a stream lies in. */
export function blocksOf({ start, pages }: Pick<Stream, 'start' | 'pages'>, ptes: number): number {
  return Math.ceil((start + pages) / ptes) - Math.floor(start / ptes);
}

function hasAccesses({ perSecond, pages, active }: Draft): boolean {
  return perSecond > 0 && pages > 0 && active.length !== 0;
}

function partStreams(world: World, spec: WorkloadSpec, part: WorkPartSpec, files: WorkloadFiles): Draft[] {
  switch (part.source.kind) {
    case 'masim':
      return masimStreams(world, part, part.source.file, files);
    case 'record':
      return recordStreams(world, part, part.source.file, files);
    case 'heat':
      return world.processes.named(part.span.process).flatMap((process) => heatStream(world, part, process));
    default:
      return spansOf(world, part.span).map(({ process, start, pages }) => {
        const range = rangeOf(world, start, pages);
        const seed = spec.seed ?? world.scenario.seed;
        return draft(part, process, range, patternOf(part, range, seed));
      });
  }
}

function draft(part: WorkPartSpec, process: Process, range: PatternRange, pattern: Pattern): Draft {
  const { key, perSecond, write, active } = part;
  return { key, process, start: range.start, pages: range.pages, pattern, perSecond, write, active };
}

function patternOf({ source }: WorkPartSpec, range: PatternRange, seed: number): Pattern {
  if (source.kind === 'zipf') return zipfPattern(range, source.exponent, source.scattered, seed);
  if (source.kind === 'sweep') return sweepPattern(range, source.first, source.step);
  return uniformPattern(range);
}

function rangeOf(world: World, start: number, pages: number): PatternRange {
  return { start, pages, ptes: world.m.ptes, pageSize: world.scenario.machine.pageSize };
}

function spansOf(world: World, span: Span): { process: Process; start: number; pages: number }[] {
  return world.processes.spans(span).map(({ process, start, pages }) => ({ process, start, pages: Math.ceil(pages) }));
}

/** The file's region named as a VMA, or one behind the other from the start of the part's range. */
function masimStreams(world: World, part: WorkPartSpec, file: string, files: WorkloadFiles): Draft[] {
  const config = readMasim(world, part, file, files);
  return world.processes.named(part.span.process).flatMap((process) => {
    const places = placeRegions(world, part, process, config);
    let atNs = part.active.start;
    const endNs = endOf(part);
    return config.phases.flatMap((phase) => {
      const length = Math.max(0, Math.min(phase.milliseconds * 1e6, endNs - atNs));
      const active = { start: atNs, length, every: part.active.every };
      atNs += length;
      const total = phase.patterns.reduce((sum, one) => sum + one.weight, 0);
      return phase.patterns
        .filter(({ weight }) => weight > 0)
        .map((one): Draft => {
          const range = places.get(one.region) as PatternRange;
          const write = one.mode === 'ro' ? 0 : one.mode === 'wo' ? 1 : 0.5;
          const perSecond = (part.perSecond * one.weight) / total;
          const pattern = one.random ? uniformPattern(range) : sweepPattern(range, 0, one.stride);
          return { ...draft({ ...part, perSecond, write, active }, process, range, pattern) };
        });
    });
  });
}

function readMasim(world: World, part: WorkPartSpec, file: string, files: WorkloadFiles): MasimConfig {
  const text = files.masim?.get(file);
  if (text === undefined) {
    throw scenarioError(
      world.locate,
      `${part.key}.masim`,
      `the file ${JSON.stringify(file)} was not read`,
      'expected a masim configuration',
    );
  }
  try {
    return parseMasim(text, file);
  } catch (error) {
    if (!(error instanceof MasimError)) throw error;
    throw scenarioError(world.locate, `${part.key}.masim`, error.message, 'see docs/workloads.md');
  }
}

function placeRegions(
  world: World,
  part: WorkPartSpec,
  process: Process,
  config: MasimConfig,
): Map<string, PatternRange> {
  const { pageSize } = world.scenario.machine;
  const places = new Map<string, PatternRange>();
  const [span] = part.span.vma === null && part.span.start === 0 ? [] : spansOf(world, part.span);
  let at = span?.start ?? 0;
  for (const { name, bytes } of config.regions) {
    const pages = Math.ceil(bytes / pageSize);
    const vma = process.vmas.get(name);
    const room = span === undefined ? vma : { start: at, pages: span.start + span.pages - at };
    if (room === undefined || pages > room.pages) {
      const what =
        room === undefined
          ? `the process has no VMA ${JSON.stringify(name)} for the region of that name`
          : `the region ${JSON.stringify(name)} of ${formatCount(bytes)} bytes does not fit into its place`;
      throw scenarioError(
        world.locate,
        `${part.key}.masim`,
        what,
        'name VMAs as regions, or give vma one that holds all of them',
      );
    }
    places.set(name, rangeOf(world, room.start, pages));
    at += pages;
  }
  return places;
}

/** Sweeps over the mapped parts of each region. */
function recordStreams(world: World, part: WorkPartSpec, file: string, files: WorkloadFiles): Draft[] {
  const records = files.records?.get(file);
  const refuse = (what: string, hint: string): never => {
    throw scenarioError(world.locate, `${part.key}.record`, what, hint);
  };
  if (records === undefined)
    return refuse(`the file ${JSON.stringify(file)} was not read`, 'expected a record of damo');
  const record = records[0];
  if (record === undefined || records.length > 1) {
    return refuse(`${file} has records of ${records.length} targets`, 'expected one target');
  }
  const { pageSize } = world.scenario.machine;
  const length =
    record.snapshots.length === 0 ? 0 : (record.snapshots.at(-1)?.endNs ?? 0) - record.snapshots[0].startNs;
  return world.processes.named(part.span.process).flatMap((process) =>
    replayParts(record).flatMap((one) =>
      mappedParts(process, Math.floor(one.start / pageSize), Math.ceil(one.end / pageSize)).map((run): Draft => {
        const range = rangeOf(world, run.first, run.count);
        const active = {
          start: part.active.start + one.atNs,
          length: Math.max(0, Math.min(one.sweeps * one.sweepNs, endOf(part) - part.active.start - one.atNs)),
          every: part.active.every === null ? null : length,
        };
        const perSecond = run.count / (one.sweepNs / 1e9);
        return draft({ ...part, perSecond, active }, process, range, sweepPattern(range, 0, pageSize));
      }),
    ),
  );
}

/** When a part ends, ns; Infinity if it does not by itself. */
function endOf({ active }: WorkPartSpec): number {
  return active.length === null ? Number.POSITIVE_INFINITY : active.start + active.length;
}

function mappedParts(process: Process, first: number, end: number): Run[] {
  return [...process.vmas.values()].flatMap(({ start, pages }) => {
    const from = Math.max(first, start);
    const to = Math.min(end, start + pages);
    return to > from ? [{ first: from, count: to - from }] : [];
  });
}

/** All pages whose accessed bit is set, with equal chance. */
function heatStream(world: World, part: WorkPartSpec, process: Process): Draft[] {
  const span = part.span.vma === null && part.span.start === 0 ? undefined : spansOf(world, part.span)[0];
  const ranges = span === undefined ? [...process.vmas.values()] : [span];
  const runs = ranges
    .flatMap(({ start, pages }) => youngRuns(world.m, process.mm, start, start + pages))
    .sort((a, b) => a.first - b.first);
  const last = runs.at(-1);
  if (last === undefined) return [];
  const start = runs[0].first;
  const range = rangeOf(world, start, last.first + last.count - start);
  const relative = runs.map(({ first, count }) => ({ first: first - start, count }));
  return [draft(part, process, range, listPattern(relative))];
}

/** Runs of pages with the accessed bit. */
export function youngRuns(m: Machine, mm: MmId, start: number, end: number): Run[] {
  const runs: { first: number; count: number }[] = [];
  const add = (first: number, count: number): void => {
    const before = runs.at(-1);
    if (before !== undefined && before.first + before.count === first) before.count += count;
    else runs.push({ first, count });
  };
  for (let page = start; page < end; ) {
    const blockEnd = Math.min(end, page - (page % m.ptes) + m.ptes);
    const pmd = findPmd(m, mm, asBrand<Vpn>(page));
    const entry = pmd === NO_PMD ? 0 : m.directory.entry[pmd];
    if (pmdType(entry) === PMD.huge && (entry & PMD_YOUNG) !== 0) add(page, blockEnd - page);
    if (pmdType(entry) === PMD.table) {
      const table = pmdTable(entry);
      for (let at = page; at < blockEnd; at++) if (getBit(m.pte.young, pteBit(m, table, at % m.ptes))) add(at, 1);
    }
    page = blockEnd;
  }
  return runs;
}
