/** How long the model says that MADV_COLLAPSE takes. */
import {
  bootMachine,
  type CostTable,
  dupMm,
  FAULT,
  handleMmFault,
  MADV,
  type Machine,
  type MmId,
  madvise,
  mmAlloc,
  mmap,
  mprotect,
  VM,
  type Vpn,
} from '@thplab/mm-model';
import { createCollapseContext, generationByName, installMadviseCollapse } from '@thplab/mthp-collapse';
import { type Procedure, runToEnd } from '@thplab/sync';
import { type KernelProfile, settingIndex, THP_ENABLED } from '@thplab/sysfs-schema';
import type { CollapseWorkload, WorkloadStep } from './workloads.js';

const RANGE = 512;
const BASE = 0x10_0000;

/** Virtual ns of MADV_COLLAPSE over the workload's memory. Errors: Error if the model's collapse fails. */
export function predictCollapse(workload: CollapseWorkload, costs: Partial<CostTable>, kernel: KernelProfile): number {
  const { machine: m } = bootMachine({
    nodePages: [16_384],
    cpus: 2,
    limits: { mms: 8, vmas: 128, pageTables: 64, directories: 64, files: 4, pageCache: 1024 },
    costs,
  });
  const current = { nowNs: 0, cpu: 0, task: 0 };
  m.current = current;
  m.setting.value[settingIndex('enabled')] = THP_ENABLED.madvise;
  installMadviseCollapse(createCollapseContext({ machine: m, generation: generationByName(kernel), profile: kernel }));
  const run = <T>(procedure: Procedure<T>): T => runToEnd(m.domain, procedure, { current });
  const mm = mmAlloc(m);
  run(mmap(m, mm, { at: BASE as Vpn, pages: workload.ranges * RANGE, fixed: 'replace' }));
  for (const step of workload.steps) take(m, mm, step, run);
  const begin = current.nowNs;
  const failed = run(madvise(m, mm, BASE as Vpn, workload.ranges * RANGE, MADV.COLLAPSE));
  if (failed !== 0) throw new Error(`${workload.name}: the model's MADV_COLLAPSE gives ${failed}`);
  return current.nowNs - begin;
}

function take(m: Machine, mm: MmId, step: WorkloadStep, run: <T>(procedure: Procedure<T>) => T): void {
  const at = (BASE + ('at' in step ? step.at : 0)) as Vpn;
  switch (step.do) {
    case 'write':
      for (let i = 0; i < step.pages; i += step.every ?? 1) {
        if (run(handleMmFault(m, mm, (at + i) as Vpn, { write: true })) !== FAULT.ok) throw new Error('out of memory');
      }
      break;
    case 'advise':
      run(madvise(m, mm, at, step.pages, MADV.HUGEPAGE));
      break;
    case 'drop':
      run(madvise(m, mm, at, step.pages, MADV.DONTNEED));
      break;
    case 'split':
      run(mprotect(m, mm, at, 1, VM.READ));
      run(mprotect(m, mm, at, 1, VM.READ | VM.WRITE));
      break;
    case 'fork':
      run(dupMm(m, mm));
  }
}
