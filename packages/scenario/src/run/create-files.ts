/** The files and shared-memory objects of a scenario, with what is in the page cache at time 0. */
import {
  createFile,
  type FileId,
  type Machine,
  PopulateError,
  placeCachedPages,
  placeHugeCachedPages,
  placeSwappedFilePages,
} from '@thplab/mm-model';
import type { CachedLayer, FileSpec } from '../format/index.js';
import type { SetUp } from './create-process.js';
import { patternRuns } from './patterns.js';
import { scenarioError } from './run-error.js';
import { randomFor } from './seeds.js';

/** Creates all files of the scenario. Errors: ScenarioError if memory or swap does not suffice. */
export function createFiles(s: SetUp, specs: readonly FileSpec[]): void {
  for (const spec of specs) {
    const file = createFile(s.m, {
      pages: spec.size / s.pageSize,
      shmem: spec.kind === 'shmem',
      pmdFolios: spec.hugeFolios,
      writers: spec.openForWrite ? 1 : 0,
    });
    s.files.set(spec.name, file);
    placeOrRefuse(s, file, spec);
  }
}

function placeOrRefuse(s: SetUp, file: FileId, spec: FileSpec): void {
  try {
    placeCached(s, file, spec);
  } catch (error) {
    if (!(error instanceof PopulateError)) throw error;
    const key = `${spec.key}.cached`;
    throw scenarioError(s.locate, key, error.message, 'see machine.memory, machine.fragmentation and machine.swap');
  }
}

/** Layers lie over each other: each page is what the last one that names it says. */
function placeCached({ m, pageSize, seed }: SetUp, file: FileId, spec: FileSpec): void {
  const pages = spec.size / pageSize;
  const owner = new Uint16Array(spec.cached.length === 0 ? 0 : pages);
  spec.cached.forEach((layer, i) => {
    const random = randomFor(seed, `${layer.key}.pattern`, layer.seed);
    for (const run of patternRuns(layer.pattern, { start: 0, pages, ptes: m.ptes }, random)) {
      owner.fill(i + 1, run.first, run.first + run.count);
    }
  });
  for (let first = 0; first < owner.length; ) {
    let end = first + 1;
    while (end < owner.length && owner[end] === owner[first]) end++;
    if (owner[first] !== 0) placeRun(m, file, spec.cached[owner[first] - 1], first, end - first);
    first = end;
  }
}

function placeRun(m: Machine, file: FileId, layer: CachedLayer, first: number, count: number): void {
  if (layer.state === 'swap') placeSwappedFilePages(m, file, first, count);
  else if (layer.huge) placeHuge(m, file, first, count);
  else placeCachedPages(m, file, first, count);
}

/** Folios where the run fills a whole block, single pages around them. */
function placeHuge(m: Machine, file: FileId, first: number, count: number): void {
  const end = first + count;
  const from = Math.min(end, Math.ceil(first / m.ptes) * m.ptes);
  const to = Math.max(from, Math.floor(end / m.ptes) * m.ptes);
  placeCachedPages(m, file, first, from - first);
  for (let at = from; at < to; at += m.ptes) placeHugeCachedPages(m, file, at);
  placeCachedPages(m, file, to, end - to);
}
