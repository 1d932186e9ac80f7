/** Runs a whole case in the model. */
import { checkMachine, lruAddDrainAll } from '@thplab/mm-model';
import { type MthpStatName, mthpStatCell, type VmstatName, vmstatIndex } from '@thplab/sysfs-schema';
import { type Case, rangesOf } from '../case.js';
import { MTHP_COMPARED, type Outcome, VMSTAT_COMPARED } from '../outcome.js';
import { bootModel, type ModelOptions } from './model-machine.js';
import { ModelProcess } from './model-process.js';
import { viewModel } from './model-view.js';

/** Errors: NotModelledError; or the model is inconsistent afterwards. */
export function runModel(given: Case, options: ModelOptions): Outcome {
  const machine = bootModel(options);
  const { m, run } = machine;
  const process = new ModelProcess(machine);
  const results = given.steps.map((step) => process.step(step));
  run(lruAddDrainAll(m));
  const counters: Record<string, number> = {};
  const count = (name: string, value: number): void => {
    if (value !== 0) counters[name] = value;
  };
  for (const name of VMSTAT_COMPARED) count(name, m.vmstat.value[vmstatIndex(name as VmstatName)]);
  for (const name of MTHP_COMPARED)
    count(`2048kB ${name}`, m.mthpStat.value[mthpStatCell(name as MthpStatName, m.pmdOrder)]);
  const ranges = rangesOf(given.steps);
  const processes = process.living().map((mm) => viewModel(m, mm, ranges, process.writes));
  const defects = checkMachine(m, { held: process.held() });
  if (defects.length > 0) throw new Error(`${given.name}: the model is inconsistent: ${defects.join('; ')}`);
  return { results, counters, processes };
}
