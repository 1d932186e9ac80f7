/**
 * What all of the collapse code is given first: the machine, the generation it behaves as, and where decisions are
 * reported. One per machine; khugepaged and every MADV_COLLAPSE call share it.
 */
import { FILE_THP, type Machine, type MmId } from '@thplab/mm-model';
import type { KernelProfile } from '@thplab/sysfs-schema';
import { settingIndex } from '@thplab/sysfs-schema';
import { TRACE_EVENTS, type TraceEmitter, type TraceEvents } from '@thplab/trace';
import type { DecisionRecorder } from './decision-recorder.js';
import type { Generation } from './generations/generation.js';
import { merged } from './generations/merged.js';
import type { PtesSettings } from './limits.js';

/** Failures that memory itself cannot produce in the model; all default to "never". */
export interface CollapseInjections {
  /** The memory cgroup refuses the charge (`mem_cgroup_charge`). */
  chargeFails: (mm: MmId, order: number) => boolean;
  /** The cgroup's deferred-split list cannot be made (khugepaged spec 10 step 1b). */
  deferredListFails: (mm: MmId, order: number) => boolean;
}

/** Node reclaim (`node_reclaim_mode` not 0): tables whose pages lie too far apart are given up (khugepaged spec 7.3). */
export interface NodeReclaim {
  /** Distance of two nodes, as the firmware tells it (10: local). */
  readonly distance: (from: number, to: number) => number;
  /** `node_reclaim_distance`, usually 30. */
  readonly maxDistance: number;
}

/** What a context is made from. */
export interface CollapseOptions {
  readonly machine: Machine;
  /** Default `merged`. */
  readonly generation?: Generation;
  /** Kernel profile whose sysfs rules apply; default the generation's name. Needed for a generation of your own. */
  readonly profile?: KernelProfile;
  /** Default: nothing is traced. */
  readonly tracer?: TraceEmitter<TraceEvents>;
  readonly recorder?: DecisionRecorder;
  readonly injections?: Partial<CollapseInjections>;
  /** Default: node reclaim is off. */
  readonly nodeReclaim?: NodeReclaim;
}

/** See the head of the file. */
export interface CollapseContext {
  readonly m: Machine;
  readonly generation: Generation;
  readonly profile: KernelProfile;
  readonly tracer: TraceEmitter<TraceEvents>;
  readonly recorder: DecisionRecorder | undefined;
  readonly injections: CollapseInjections;
  readonly nodeReclaim: NodeReclaim | undefined;
}

/** Makes a context. */
export function createCollapseContext(options: CollapseOptions): CollapseContext {
  const generation = options.generation ?? merged;
  return {
    m: options.machine,
    generation,
    profile: options.profile ?? (generation.name as KernelProfile),
    tracer: options.tracer ?? SILENT_TRACER,
    recorder: options.recorder,
    injections: { chargeFails: never, deferredListFails: never, ...options.injections },
    nodeReclaim: options.nodeReclaim,
  };
}

/**
 * Tells the machine which regular files this kernel collapses; `readOnlyThpForFs`: it was built with
 * CONFIG_READ_ONLY_THP_FOR_FS, where it has that option.
 */
export function configureFileThp(m: Machine, generation: Generation, readOnlyThpForFs = false): void {
  const { pmdFolioMappings, readOnly, none } = FILE_THP;
  m.machine.fileThp[0] = generation.collapsesPmdFolioFiles ? pmdFolioMappings : readOnlyThpForFs ? readOnly : none;
}

/** The three max_ptes_* files as they read now. */
export function readPtesSettings(m: Machine): PtesSettings {
  const cells = m.setting.value;
  return { maxPtesNone: cells[NONE], maxPtesSwap: cells[SWAP], maxPtesShared: cells[SHARED] };
}

/** True if one of the three files reads differently by now. */
export function ptesSettingsChanged(m: Machine, before: PtesSettings): boolean {
  const cells = m.setting.value;
  return (
    cells[NONE] !== before.maxPtesNone || cells[SWAP] !== before.maxPtesSwap || cells[SHARED] !== before.maxPtesShared
  );
}

const NONE = settingIndex('khugepaged.max_ptes_none');
const SWAP = settingIndex('khugepaged.max_ptes_swap');
const SHARED = settingIndex('khugepaged.max_ptes_shared');

const SILENT_TRACER: TraceEmitter<TraceEvents> = {
  ids: TRACE_EVENTS.ids,
  enabled: false,
  emit: () => {},
  event: () => {},
  wants: () => false,
};

function never(): boolean {
  return false;
}
