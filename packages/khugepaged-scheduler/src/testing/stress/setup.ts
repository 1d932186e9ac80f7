/**
 * The machines that the stress test runs on. Making an arena costs more than a run, so there is one machine for each
 * set-up, put back into its first state before each run.
 */
import { bootMachine, type Machine } from '@thplab/mm-model';
import {
  createCollapseContext,
  type DecisionRecorder,
  generationByName,
  installMadviseCollapse,
} from '@thplab/mthp-collapse';
import type { Procedure } from '@thplab/sync';
import { HUGEPAGES_ENABLED, type KernelProfile, settingIndex, THP_ENABLED } from '@thplab/sysfs-schema';
import fc from 'fast-check';
import {
  createKhugepaged,
  KHUGEPAGED_TABLES,
  type Khugepaged,
  khugepagedSizes,
  type StartThread,
} from '../../index.js';

/** What differs between runs beside the steps. */
export interface Setup {
  readonly pmdOrder: number;
  /** Base pages of each node. */
  readonly nodePages: readonly number[];
  readonly swapPages: number;
  readonly profile: KernelProfile;
  /** Seed of the executor, and the time that each lock operation takes: both make other schedules. */
  readonly seed: number;
  readonly lockOperationNs: number;
  /** The settings to begin with. */
  readonly enabled: keyof typeof THP_ENABLED;
  /** `enabled` of the orders from the PMD order down. */
  readonly sizes: readonly (keyof typeof HUGEPAGES_ENABLED)[];
  /** The three max_ptes_* files, in eighths of a table. */
  readonly none: number;
  readonly swap: number;
  readonly shared: number;
}

/** A machine with khugepaged, and places for what a run connects to it. */
export interface Rig {
  readonly m: Machine;
  readonly k: Khugepaged;
  startThread: StartThread;
  recorder: DecisionRecorder;
}

const rigs = new Map<string, { readonly rig: Rig; readonly pristine: ArrayBuffer }>();

/** A machine with the settings of the set-up. The one given before for the same set-up is the same machine. */
export function freshRig(setup: Setup): Rig {
  const rig = pristineRig(setup);
  const { m } = rig;
  const set = (cell: number, value: number): void => {
    m.setting.value[cell] = value;
  };
  set(settingIndex('enabled'), THP_ENABLED[setup.enabled]);
  setup.sizes.forEach((word, i) => {
    if (m.pmdOrder - i >= 2) set(settingIndex('hugepages.enabled', m.pmdOrder - i), HUGEPAGES_ENABLED[word]);
  });
  const limit = (eighths: number): number => Math.min(m.ptes - 1, (m.ptes >> 3) * eighths);
  set(settingIndex('khugepaged.max_ptes_none'), limit(setup.none));
  set(settingIndex('khugepaged.max_ptes_swap'), limit(setup.swap));
  set(settingIndex('khugepaged.max_ptes_shared'), limit(setup.shared));
  return rig;
}

function pristineRig(setup: Setup): Rig {
  const key = JSON.stringify([setup.pmdOrder, setup.nodePages, setup.swapPages, setup.profile]);
  const known = rigs.get(key);
  if (known !== undefined) {
    known.rig.m.arena.restore(known.pristine);
    return known.rig;
  }
  const rig = makeRig(setup);
  rigs.set(key, { rig, pristine: rig.m.arena.snapshot() });
  return rig;
}

function makeRig(setup: Setup): Rig {
  const pages = setup.nodePages.reduce((sum, node) => sum + node, 0);
  const mms = 16;
  const { machine: m } = bootMachine({
    geometry: { pageShift: 12, pmdOrder: setup.pmdOrder },
    nodePages: setup.nodePages,
    swapPages: setup.swapPages,
    cpus: 2,
    limits: {
      mms,
      vmas: 400,
      anonVmaChains: 2000,
      files: 64,
      pageCache: setup.pmdOrder > 5 ? 4096 : 2048,
      ...tableLimits(setup.pmdOrder, pages),
    },
    extraTables: KHUGEPAGED_TABLES,
    extraSizes: khugepagedSizes(mms),
  });
  const generation = generationByName(setup.profile);
  const hub: Pick<Rig, 'startThread' | 'recorder'> = { startThread: nobody, recorder: {} };
  const recorder: DecisionRecorder = {
    attempted: (...facts) => hub.recorder.attempted?.(...facts),
    scanned: (...facts) => hub.recorder.scanned?.(...facts),
  };
  const collapse = createCollapseContext({ machine: m, generation, profile: setup.profile, recorder });
  installMadviseCollapse(collapse);
  const startThread: StartThread = (...facts) => hub.startThread(...facts);
  const k = createKhugepaged({ machine: m, profile: setup.profile, collapse, startThread });
  return Object.assign(hub, { m, k });
}

/** Tables and directories for at most 8 processes of a few blocks each, strewn over the address space. */
function tableLimits(pmdOrder: number, pages: number): { pageTables: number; directories: number } {
  return pmdOrder > 5 ? { pageTables: 160, directories: 100 } : { pageTables: Math.max(800, pages), directories: 800 };
}

function nobody(_name: string, _procedure: () => Procedure<void>): void {
  throw new Error('a kernel thread was started while nothing ran');
}

const eighths = fc.constantFrom(0, 4, 8, 8, 8, 8);
const size = fc.constantFrom<keyof typeof HUGEPAGES_ENABLED>(
  'always',
  'inherit',
  'inherit',
  'madvise',
  'madvise',
  'never',
);

/** Set-ups: mostly tables of 8 entries, memory often too small for what the processes map. */
export const anySetup: fc.Arbitrary<Setup> = fc
  .record({
    machine: fc.oneof(
      { weight: 24, arbitrary: fc.constantFrom(...machines(3, [192], [320], [1024], [96, 128])) },
      { weight: 10, arbitrary: fc.constantFrom(...machines(4, [256], [1024], [192, 192])) },
      { weight: 1, arbitrary: fc.constantFrom(...machines(9, [2560], [6144], [2048, 1024])) },
    ),
    profile: fc.constantFrom<KernelProfile>('merged', 'merged', 'v6.18'),
    seed: fc.nat(0xffff),
    lockOperationNs: fc.constantFrom(0, 0, 70, 900),
    enabled: fc.constantFrom<keyof typeof THP_ENABLED>('madvise', 'madvise', 'always', 'never'),
    sizes: fc.array(size, { minLength: 8, maxLength: 8 }),
    none: eighths,
    swap: eighths,
    shared: fc.constantFrom(0, 4, 8, 8, 8),
  })
  .map(({ machine, ...rest }) => ({ ...machine, ...rest }));

type MachineSetup = Pick<Setup, 'pmdOrder' | 'nodePages' | 'swapPages'>;

function machines(pmdOrder: number, ...nodes: readonly (readonly number[])[]): MachineSetup[] {
  return nodes.map((nodePages) => ({ pmdOrder, nodePages, swapPages: nodePages.length === 2 ? 24 : 64 * pmdOrder }));
}
