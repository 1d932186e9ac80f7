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
  /** Least efficiency, as a share of what the machine's cores give; undefined where the workers must wait for each other. */
  readonly demand?: number;
}

/** Ranges that are looked at and left: one page is missing and none may be. */
export const SCAN = { present: 511, maxPtesNone: 0 } as const;
/** Ranges that become huge. */
export const COLLAPSE = { present: 512, maxPtesNone: 511 } as const;

/** A machine with `total` ranges for this work. */
export function machineFor(work: Work, total: number, cpus: number): Khugepaged {
  const ranges = total / work.processes;
  const { machine: m } = bootMachine({
    nodePages: [total * 512 + (work.maxPtesNone > 0 ? total * 512 : 65_536)],
    cpus,
    limits: { mms: 64, vmas: 1024 },
    extraTables: POOL_TABLES,
    extraSizes: poolSizes(64),
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
