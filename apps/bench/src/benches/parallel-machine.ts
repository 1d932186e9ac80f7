/** Machines for the scan pool: processes that share nothing, with ranges that are all alike. */
import { asBrand } from '@thplab/arena';
import { createKhugepaged, type Khugepaged, khugepagedEnter } from '@thplab/khugepaged-scheduler';
import { POOL_TABLES, poolSizes, type ScanGoal } from '@thplab/khugepaged-scheduler/pool';
import {
  bootMachine,
  type Machine,
  mmAlloc,
  mmap,
  PTE_WRITE,
  PTE_YOUNG,
  placeBasePages,
  type VmaId,
  type Vpn,
  vmaAt,
} from '@thplab/mm-model';
import { createCollapseContext } from '@thplab/mthp-collapse';
import { runToEnd } from '@thplab/sync';
import { settingIndex, THP_ENABLED } from '@thplab/sysfs-schema';

const MMS = 256;
const START = asBrand<Vpn>(0x100000);

/** A kind of work. */
export interface Work {
  readonly name: string;
  /** Processes that share the ranges evenly. */
  readonly processes: number;
  /** Pages present in each table. */
  readonly present: number;
  readonly maxPtesNone: number;
  readonly goal: ScanGoal;
  /** Ranges of all processes together. */
  readonly ranges: number;
  /** The work changes the machine, which is put back before it is done again. */
  readonly changes: boolean;
  /** Least efficiency, as a share of what workers give that share nothing; undefined where they must wait for each other. */
  readonly demand?: number;
}

/** Ranges that are looked at and left: one page is missing and none may be. */
export const SCAN = { present: 511, maxPtesNone: 0, changes: false } as const;
/** Ranges that become huge. */
export const COLLAPSE = { present: 512, maxPtesNone: 511, changes: true } as const;

/** A machine for this work. */
export function machineFor(work: Work, cpus: number): Khugepaged {
  const ranges = work.ranges / work.processes;
  const { machine: m } = bootMachine({
    nodePages: [work.ranges * 512 + (work.changes ? work.ranges * 512 : 65_536)],
    cpus,
    limits: { mms: MMS, vmas: 1024 },
    extraTables: POOL_TABLES,
    extraSizes: poolSizes(MMS),
  });
  m.setting.value[settingIndex('enabled')] = THP_ENABLED.always;
  m.setting.value[settingIndex('khugepaged.max_ptes_none')] = work.maxPtesNone;
  m.setting.value[settingIndex('khugepaged.pages_to_scan')] = 2 ** 28;
  const k = createKhugepaged({
    machine: m,
    profile: 'merged',
    collapse: createCollapseContext({ machine: m }),
    startThread: () => {},
  });
  for (let process = 0; process < work.processes; process++) addProcess(m, k, ranges, work.present);
  return k;
}

function addProcess(m: Machine, k: Khugepaged, ranges: number, present: number): void {
  const mm = mmAlloc(m);
  runToEnd(m.domain, mmap(m, mm, { at: START, pages: ranges * m.ptes, fixed: 'replace' }));
  const vma = vmaAt(m, mm, START) as VmaId;
  for (let range = 0; range < ranges; range++) {
    placeBasePages(m, vma, asBrand<Vpn>(START + range * m.ptes), present, PTE_YOUNG | PTE_WRITE);
  }
  runToEnd(m.domain, khugepagedEnter(k, mm));
}
