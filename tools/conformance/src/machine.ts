/** What is needed to hold the model against this machine's kernel, and what is missing. */
import { closeSync, existsSync, openSync } from 'node:fs';
import { exactProfileOfRelease, kernelRelease, loadLibc } from '@thplab/live-kernel';
import type { KernelProfile } from '@thplab/sysfs-schema';
import type { ModelOptions } from './model/model-machine.js';
import { readThpSettings, THP_SYSFS } from './real/proc-files.js';

/** A kernel that can be compared. */
export interface ThisKernel {
  readonly release: string;
  readonly options: ModelOptions;
}

/** The running kernel, or in words why nothing can be compared with it. */
export async function thisKernel(profile?: KernelProfile): Promise<ThisKernel | { readonly skipped: string }> {
  const { missing } = await loadLibc();
  if (missing !== undefined) return { skipped: missing };
  if (process.arch !== 'x64')
    return { skipped: `cases are written for 4K pages and 2M huge pages; this is ${process.arch}` };
  if (!existsSync(THP_SYSFS)) return { skipped: `this kernel has no transparent huge pages: there is no ${THP_SYSFS}` };
  if (!readable('/proc/kpageflags'))
    return { skipped: 'page flags are read from /proc/kpageflags, which only root may' };
  const release = kernelRelease();
  const chosen = profile ?? exactProfileOfRelease(release);
  if (chosen === undefined) {
    return { skipped: `no kernel profile describes Linux ${release}; name one with --kernel to compare all the same` };
  }
  return { release, options: { profile: chosen as KernelProfile, settings: readThpSettings() } };
}

function readable(path: string): boolean {
  try {
    closeSync(openSync(path, 'r'));
    return true;
  } catch {
    return false;
  }
}
