/** The model's machine for one case: small, with the running kernel's settings. */
import {
  createKhugepaged,
  KHUGEPAGED_TABLES,
  type Khugepaged,
  khugepagedSizes,
  writeSysfs,
} from '@thplab/khugepaged-scheduler';
import { bootMachine, type Machine } from '@thplab/mm-model';
import { createCollapseContext, generationByName, installMadviseCollapse } from '@thplab/mthp-collapse';
import { type Procedure, runToEnd } from '@thplab/sync';
import { type KernelProfile, SYSFS_ROOT } from '@thplab/sysfs-schema';

/** What the model needs to know of the running kernel. */
export interface ModelOptions {
  readonly profile: KernelProfile;
  /** Settings by path below transparent_hugepage, as the running kernel's files read. */
  readonly settings: Readonly<Record<string, string>>;
}

/** A machine, and how procedures run on it. */
export interface ModelMachine {
  readonly m: Machine;
  readonly k: Khugepaged;
  run<T>(procedure: Procedure<T>): T;
}

/** Boots one. khugepaged is registered with but never runs. Errors: a setting that the profile refuses. */
export function bootModel(options: ModelOptions): ModelMachine {
  const { machine: m } = bootMachine({
    nodePages: [32_768],
    cpus: 2,
    limits: { mms: 16, vmas: 512, pageTables: 256, directories: 128, files: 16, pageCache: 16_384 },
    extraTables: KHUGEPAGED_TABLES,
    extraSizes: { ...khugepagedSizes(16) },
  });
  const current = { nowNs: 0, cpu: 0, task: 0 };
  m.current = current;
  const collapse = createCollapseContext({
    machine: m,
    generation: generationByName(options.profile),
    profile: options.profile,
  });
  installMadviseCollapse(collapse);
  const k = createKhugepaged({ machine: m, profile: options.profile, collapse, startThread: () => {} });
  const run = <T>(procedure: Procedure<T>): T => runToEnd(m.domain, procedure, { current });
  const machine = { m, k, run };
  applySettings(machine, options);
  return machine;
}

/** Writes the running kernel's settings. Errors: a setting that the profile refuses. */
export function applySettings({ k, run }: ModelMachine, options: ModelOptions): void {
  for (const [path, text] of Object.entries(options.settings)) {
    if (!k.files.has(`${SYSFS_ROOT}/${path}`)) continue;
    const outcome = run(writeSysfs(k, path, chosen(text)));
    if (outcome.errno !== 0) throw new Error(`${path}: the profile ${options.profile} refuses ${JSON.stringify(text)}`);
  }
}

/** The word in brackets of `always [madvise] never`; any other text as it is. */
function chosen(text: string): string {
  return /\[([^\]]+)\]/.exec(text)?.[1] ?? text.trim();
}
