/** Which variants what-if tries, and trying them one by one, so that Ctrl-C leaves those that are done. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Snapshot } from '@thplab/capture';
import {
  defaultVariants,
  formatDuration,
  type LoadOptions,
  profileOfRelease,
  type WhatIfResult,
  type WhatIfVariant,
  whatIf,
} from '@thplab/scenario';
import type { KernelProfile } from '@thplab/sysfs-schema';
import type { Context } from '../../context.js';
import { InterruptedError, UsageError } from '../../errors.js';
import { kernelNamed, parseSetting } from '../../input/overrides.js';
import { type Files, filesOfKernel } from '../../input/sysfs-files.js';
import { MOST_VARIANTS, variations } from '../../input/vary.js';
import type { Progress } from '../../output/progress.js';
import { runError } from '../../simulate.js';

/** What the command line says about the variants and the assumptions. */
export interface WhatIfChoices {
  readonly vary?: readonly string[];
  readonly kernels?: string;
  readonly kernel?: string;
  readonly set?: readonly string[];
  readonly adviseAll?: boolean;
  readonly young?: LoadOptions['young'];
  readonly seed?: number;
  readonly choose?: number;
}

/** The variants: what the options say, after the settings as they are; else the usual set. Errors: UsageError. */
export function variantsFor(snapshot: Snapshot, choices: WhatIfChoices): readonly WhatIfVariant[] {
  const own = kernelOf(snapshot, choices);
  const { vary, kernels } = choices;
  if (vary === undefined && kernels === undefined && choices.set === undefined) return defaultVariants(own);
  const variants: WhatIfVariant[] = [{ label: 'as it is', sysfs: [] }];
  for (const kernel of kernels?.split(',').map((name) => kernelNamed(name.trim())) ?? [own]) {
    const files = filesOf(snapshot, kernel);
    const set = (choices.set ?? []).map((text) => ({ text, write: parseSetting(text, files) }));
    for (const { name, sysfs } of variations(vary ?? [], files)) {
      const names = [
        ...(kernels === undefined ? [] : [kernel]),
        ...(name === '' ? set.map(({ text }) => text.slice(text.lastIndexOf('/') + 1)) : [name]),
      ];
      const writes = [...set.map(({ write }) => write), ...sysfs];
      variants.push({ label: names.join(' '), kernel, sysfs: writes });
    }
  }
  if (variants.length <= MOST_VARIANTS + 1) return variants;
  throw new UsageError(`${variants.length} variants; at most ${MOST_VARIANTS} are tried at once`);
}

/** The kernel of the variants that name none. */
export function kernelOf(snapshot: Snapshot, choices: WhatIfChoices): KernelProfile {
  return choices.kernel === undefined ? profileOfRelease(snapshot.kernel.release) : kernelNamed(choices.kernel);
}

function filesOf(snapshot: Snapshot, kernel: KernelProfile): Files {
  const { pageSize, pmdOrder } = snapshot.kernel;
  return filesOfKernel(kernel, { pageShift: Math.log2(pageSize), pmdOrder });
}

/** Tries the variants. Errors: InterruptedError if none was done; those of the runner. */
export async function look(
  context: Context,
  snapshot: Snapshot,
  choices: WhatIfChoices,
  progress: Progress,
): Promise<WhatIfResult> {
  const variants = variantsFor(snapshot, choices);
  const { choose } = choices;
  if (choose !== undefined && (choose < 1 || choose > variants.length)) {
    throw new UsageError(`--choose ${choose} names no row; there are rows 1 to ${variants.length}`);
  }
  const signal = context.interruptible();
  const { young, adviseAll, seed } = choices;
  const options = {
    kernel: kernelOf(snapshot, choices),
    ...(young === undefined ? {} : { young }),
    ...(adviseAll === undefined ? {} : { adviseAll }),
    ...(seed === undefined ? {} : { seed }),
    shouldStop: () => signal.aborted,
  };
  const done: WhatIfResult['variants'][number][] = [];
  let last: WhatIfResult | null = null;
  try {
    for (const variant of variants) {
      const label = `${done.length + 1}/${variants.length} ${variant.label}`;
      progress.show(`${label}: loading the snapshot`);
      await nextTurn();
      if (signal.aborted) break;
      const onProgress = ({ virtualNs }: { readonly virtualNs: number }): void =>
        progress.show(`${label}: ${formatDuration(virtualNs)} of virtual time`);
      const result = whatIf(snapshot, [variant], { ...options, onProgress });
      if (signal.aborted) break;
      last = result;
      done.push(...result.variants);
    }
  } catch (error) {
    throw await runError(error);
  } finally {
    progress.clear();
  }
  if (last === null) throw new InterruptedError('no variant was done yet');
  return { ...last, variants: done, partial: done.length < variants.length };
}
