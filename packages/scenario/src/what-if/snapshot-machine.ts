/**
 * The machine on which a captured process is looked at: as much memory as the process has plus what was free, in blocks
 * as large as the kernel's list of free blocks says, with the settings and the kernel of the capture.
 */
import type { Snapshot } from '@thplab/capture';
import { GENERATIONS } from '@thplab/mthp-collapse';
import { formatValue, isWritable, type KernelProfile, parseRead, SYSFS_ROOT, sysfsTree } from '@thplab/sysfs-schema';
import { NOTHING_EXPECTED } from '../expect/nothing-expected.js';
import type { Fragmentation, Machine, MemoryNode, RunGoal, Scenario, SysfsWrite } from '../format/index.js';
import { FORMAT } from '../format/index.js';
import { geometryOf } from '../run/geometry.js';
import { type SnapshotNeeds, snapshotNeeds } from './snapshot-needs.js';

/** Longest virtual time of a run, ns: 100 days. */
const AT_MOST_NS = 100 * 86_400 * 1e9;
const TWO_SCANS: RunGoal = { fullScans: 2, pagesCollapsed: null, covered: null, eventsDone: false, counters: [] };
/** Free memory when the capture does not tell: as much as there is in use, and this. */
const SPARE_PAGES = 2 ** 16;

/** The profile whose collapse code is nearest to a kernel release (`6.18.3-arch1`). */
export function profileOfRelease(release: string): KernelProfile {
  const [major, minor] = release.split('.').map(Number);
  const version = major * 1000 + minor;
  if (Number.isNaN(version) || version > 6018) return 'merged';
  return version >= 6016 ? 'v6.18' : 'v6.13';
}

/** The path under which the snapshot of `snapshotScenario` is known to the run. */
export const CAPTURED = '<capture>';

/**
 * A scenario of the captured process alone, on a machine like its own, to be run with `snapshots: new Map([[CAPTURED,
 * snapshot]])`. It ends after two full scans. `kernel`: default the nearest to the one that ran.
 */
export function snapshotScenario(
  snapshot: Snapshot,
  kernel: KernelProfile = profileOfRelease(snapshot.kernel.release),
  seed = 1,
): Scenario {
  const machine = machineOf(snapshot, snapshotNeeds(snapshot), kernel);
  const name = snapshot.process.name === '' ? `pid${snapshot.process.pid}` : snapshot.process.name;
  return {
    format: FORMAT,
    name,
    description: '',
    seed,
    machine,
    sysfs: settingsOf(snapshot, machine),
    files: [],
    processes: [
      { key: 'processes[0]', name, count: 1, thp: 'default', memcg: '/', cpu: 0, snapshot: CAPTURED, vmas: [] },
    ],
    damon: { key: 'damon', profile: null, pingPong: null, file: null, pids: {}, kdamonds: [] },
    hints: null,
    workload: [],
    events: [],
    run: { until: TWO_SCANS, atMost: AT_MOST_NS, khugepaged: true, sample: null, trace: { events: [], capacity: 1 } },
    expect: NOTHING_EXPECTED,
  };
}

/** True if the collapse code of a profile is modelled. */
export function isModelled(kernel: KernelProfile): boolean {
  return GENERATIONS.some((generation) => generation.name === kernel);
}

function machineOf(snapshot: Snapshot, needs: SnapshotNeeds, kernel: KernelProfile): Machine {
  const { pageSize, pmdOrder } = snapshot.kernel;
  const blockSize = pageSize * 2 ** pmdOrder;
  return {
    nodes: [memoryOf(snapshot, needs, blockSize)],
    pageSize: pageSize as Machine['pageSize'],
    pmdOrder,
    blockSize,
    kernel,
    cpus: 2,
    swap: needs.swapSlots * pageSize,
    boot: '',
    readOnlyThpForFs: false,
    tlb: null,
  };
}

function memoryOf(snapshot: Snapshot, needs: SnapshotNeeds, blockSize: number): MemoryNode {
  const { pageSize, pmdOrder, memFreeKb } = snapshot.kernel;
  // No more than all ranges in use can become is ever needed; the rest would only cost time and space here.
  const wanted = needs.blocks * 2 ** pmdOrder + SPARE_PAGES;
  const known = memFreeKb === null ? needs.frames + SPARE_PAGES : (memFreeKb * 1024) / pageSize;
  const free = Math.min(wanted, known);
  const size = Math.ceil(((needs.frames + free) * pageSize) / blockSize + 2) * blockSize;
  return { size, fragmentation: fragmentationOf(snapshot, free) };
}

/**
 * Where less memory lies in free blocks of PMD size than is free and needed, that share of the blocks has somebody's page in
 * it. Whether that page can be moved is not known; it is taken to be movable, as most memory is.
 */
function fragmentationOf(snapshot: Snapshot, freePages: number): Fragmentation | null {
  const { freeBlocks, pmdOrder } = snapshot.kernel;
  if (freeBlocks.length === 0) return null;
  let inHugeBlocks = 0;
  for (const zone of freeBlocks) {
    zone.blocks.forEach((count, order) => {
      if (order >= pmdOrder) inHugeBlocks += count * 2 ** order;
    });
  }
  const fraction = 1 - inHugeBlocks / Math.max(1, freePages);
  return fraction < 0.01 ? null : { fraction: Math.min(1, fraction), order: 0, movable: 1, seed: null };
}

/** The settings of the capture that the profile has files for. */
function settingsOf(snapshot: Snapshot, machine: Machine): SysfsWrite[] {
  const nodes = sysfsTree(machine.kernel, geometryOf(machine));
  return nodes.filter(isWritable).flatMap((file) => {
    const text = snapshot.kernel.thp[file.path.slice(SYSFS_ROOT.length + 1)];
    const value = text === undefined ? null : parseRead(file, text);
    return value === null ? [] : [{ path: file.path, value: formatValue(file, value) }];
  });
}
