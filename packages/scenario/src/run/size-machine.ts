/**
 * Limits of the machine's tables, from what the scenario can come to need. Rows that are never used cost address space
 * only, so they are generous; but a scenario that goes on for ever (unbounded forks or mmaps) meets them in the end.
 */
import { damonSizes } from '@thplab/damos-actions';
import { type MachineLimits, memcgLineage } from '@thplab/mm-model';
import type { Scenario, ScenarioEvent } from '../format/index.js';

/** What a snapshot adds to a process. */
export interface ExtraNeeds {
  readonly vmas: number;
  readonly tables: number;
  readonly directories: number;
  readonly filePages: number;
}

const NO_EXTRAS: ExtraNeeds = { vmas: 0, tables: 0, directories: 0, filePages: 0 };

/** Most processes that a repeated fork without an end is given room for. */
const OPEN_FORKS = 1000;
/** Tables beyond those that memory can fill: of entries that have no page behind them. */
const SPARE_TABLES = 2 ** 20;
/** VMAs that splitting adds: mprotect, madvise and munmap of parts. */
const SPARE_VMAS = 4096;

/** The limits for a scenario; `extras` for what its processes' snapshots hold. */
export function limitsOf(
  scenario: Scenario,
  extras: ExtraNeeds = NO_EXTRAS,
): Required<
  Pick<MachineLimits, 'mms' | 'vmas' | 'pageTables' | 'directories' | 'memcgs' | 'files' | 'pageCache' | 'swapSlots'>
> {
  const { machine, processes, events } = scenario;
  const declared = processes.reduce((sum, one) => sum + one.count, 0);
  const forks = events.reduce((sum, event) => sum + forkedBy(event), 0);
  const own = processes.flatMap((one) => Array.from({ length: one.count }, () => one.vmas)).flat();
  const mapped = events.flatMap((event) => (event.action.kind === 'mmap' ? [event.action.vma] : []));
  const vmas = [...own, ...mapped];
  const blocks = vmas.reduce((sum, vma) => sum + blocksOf(vma.size, machine.blockSize), 0) + extras.tables;
  const span = machine.blockSize * 2 ** machine.pmdOrder;
  const directories = vmas.reduce((sum, vma) => sum + Math.ceil(vma.size / span) + 4, 0) + extras.directories;
  // A child may hold as much as its parent; more live at once than named processes only where forks repeat.
  const families = 1 + Math.min(forks, 64);
  const mms = declared + forks + 16;
  const frames = machine.nodes.reduce((sum, node) => sum + node.size / machine.pageSize, 0);
  const filePages = vmas.reduce(
    (sum, vma) => sum + (vma.kind === 'anon' ? 0 : vma.size / machine.pageSize),
    extras.filePages + scenario.files.reduce((sum, file) => sum + file.size / machine.pageSize, 0),
  );
  return {
    mms,
    vmas: (vmas.length + extras.vmas + 1) * (1 + forks) + SPARE_VMAS,
    pageTables: Math.min(blocks * families * 2 + 1024, frames + SPARE_TABLES, mostTables(machine.pmdOrder)),
    directories: directories * families * 2 + mms * 4 + 64,
    memcgs: new Set(processes.flatMap(({ memcg }) => memcgLineage(memcg))).size + 1,
    files: vmas.length + extras.vmas + scenario.files.length + 256,
    pageCache: Math.max(1024, Math.ceil(filePages * 2)),
    swapSlots: machine.swap / machine.pageSize,
  };
}

/** Entries of all tables are numbered in 32 bits, as bits of planes too. */
function mostTables(pmdOrder: number): number {
  return Math.floor((2 ** 32 - 1) / Math.max(32, 2 ** pmdOrder));
}

function forkedBy(event: ScenarioEvent): number {
  if (event.action.kind !== 'fork') return 0;
  const times = event.repeat === null ? 1 : (event.repeat.times ?? OPEN_FORKS);
  return event.action.count * Math.min(times, OPEN_FORKS);
}

function blocksOf(size: number, blockSize: number): number {
  return Math.ceil(size / blockSize) + 1;
}

/** Rows for contexts that are set up while the machine runs. */
const SPARE_KDAMONDS = 16;
const SPARE_REGIONS = 2 ** 16;
const SPARE_SCHEMES = 256;
const SPARE_TARGETS = 256;
/** Filters and quotas may cut regions beyond their upper bound for a while. */
const REGIONS_PER_BOUND = 4;
const MOST_REGIONS = 2 ** 22;

/** Limits of DAMON's tables. */
export function damonSizesOf({ damon, processes }: Scenario): ReturnType<typeof damonSizes> {
  const { kdamonds } = damon;
  const members = processes.reduce((sum, one) => sum + one.count, 0);
  const sum = (of: (one: (typeof kdamonds)[number]) => number): number =>
    kdamonds.reduce((total, one) => total + of(one), 0);
  const bound = sum(({ attributes }) => Math.min(attributes.maxNrRegions, MOST_REGIONS) * REGIONS_PER_BOUND);
  return damonSizes({
    kdamonds: SPARE_KDAMONDS + kdamonds.length,
    targets: SPARE_TARGETS + sum(({ targets }) => targets.length) + members * kdamonds.length,
    regions: SPARE_REGIONS + Math.min(bound + sum(givenRegions), MOST_REGIONS),
    schemes: SPARE_SCHEMES + sum(({ schemes }) => schemes.length),
  });
}

function givenRegions({ targets }: Scenario['damon']['kdamonds'][number]): number {
  return targets.reduce((sum, { ranges }) => sum + ranges.length, 0);
}
