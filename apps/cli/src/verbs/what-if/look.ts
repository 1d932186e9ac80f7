/** Which variants what-if tries, and trying them in pieces, so that Ctrl-C is heard and leaves those that are done. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Snapshot } from '@thplab/capture';
import {
  defaultVariants,
  formatDuration,
  type LoadOptions,
  profileOfRelease,
  type WhatIfProgress,
  type WhatIfResult,
  type WhatIfVariant,
  whatIfInPieces,
} from '@thplab/scenario';
import type { WhatIfLook, WhatIfThreadsOptions } from '@thplab/scenario/threads';
import type { KernelProfile } from '@thplab/sysfs-schema';
import type { Context } from '../../context.js';
import { InterruptedError, UsageError } from '../../errors.js';
import { costsOf } from '../../input/costs.js';
import { kernelNamed, parseSetting, runnableKernel } from '../../input/overrides.js';
import { type Files, filesOfKernel } from '../../input/sysfs-files.js';
import { MOST_VARIANTS, shortNames, variations } from '../../input/vary.js';
import { assignment } from '../../options.js';
import type { Progress } from '../../output/progress.js';
import { runError } from '../../simulate.js';
import { threadError } from '../../simulate-on-threads.js';

/** Event loop turns come this often. */
const TURN_MS = 20;

/** What the command line says about the variants and the assumptions. */
export interface WhatIfChoices {
  readonly vary?: readonly string[];
  readonly kernels?: string;
  readonly kernel?: string;
  readonly set?: readonly string[];
  readonly adviseAll?: boolean;
  readonly young?: LoadOptions['young'];
  readonly seed?: number;
  /** Path of a cost file. */
  readonly costs?: string;
  readonly choose?: number;
  /** Variants at the same time; 0: one after the other in this thread. */
  readonly threads: number;
}

/** `PATH=VALUE` texts with paths as short as tells them apart: two files of the name `enabled` keep their folders. */
function shortSettings(texts: readonly string[]): readonly string[] {
  const pairs = texts.map((text) => assignment(text) ?? ([text, ''] as const));
  const names = shortNames(pairs.map(([path]) => path));
  return pairs.map(([, value], i) => `${names[i]}=${value}`);
}

/** The variants: what the options say, after the settings as they are; else the usual set. Errors: UsageError. */
export function variantsFor(snapshot: Snapshot, choices: WhatIfChoices): readonly WhatIfVariant[] {
  const own = kernelOf(snapshot, choices);
  const { vary, kernels } = choices;
  if (vary === undefined && kernels === undefined && choices.set === undefined) return defaultVariants(own);
  const variants: WhatIfVariant[] = [{ label: 'as it is', sysfs: [] }];
  const settings = shortSettings(choices.set ?? []);
  for (const kernel of kernels?.split(',').map((name) => kernelNamed(name.trim())) ?? [own]) {
    const files = filesOf(snapshot, kernel);
    const set = (choices.set ?? []).map((text) => parseSetting(text, files));
    for (const { name, sysfs } of variations(vary ?? [], files)) {
      const names = [...(kernels === undefined ? [] : [kernel]), ...(name === '' ? settings : [name])];
      const writes = [...set, ...sysfs];
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
  const { choose, kernel, kernels } = choices;
  for (const name of [...(kernel === undefined ? [] : [kernel]), ...(kernels?.split(',') ?? [])]) {
    await runnableKernel(name.trim());
  }
  const variants = variantsFor(snapshot, choices);
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
    ...(await costsOf(context, choices.costs)),
  };
  try {
    if (choices.threads > 0)
      return finished(await onThreads(context, snapshot, variants, { ...options, signal }, choices, progress));
    const pieces = whatIfInPieces(snapshot, variants, { ...options, shouldStop: () => signal.aborted });
    for (let turnMs = context.io.nowMs(); ; ) {
      const piece = pieces.next();
      if (piece.done === true) return finished(piece.value);
      if (piece.value.virtualNs > 0 && context.io.nowMs() - turnMs < TURN_MS) continue;
      progress.show(progressText(piece.value, variants));
      await nextTurn();
      turnMs = context.io.nowMs();
    }
  } catch (error) {
    throw threadError(context, error, seed ?? 1) ?? (await runError(error));
  } finally {
    progress.clear();
  }
}

async function onThreads(
  context: Context,
  snapshot: Snapshot,
  variants: readonly WhatIfVariant[],
  options: Omit<WhatIfThreadsOptions, 'threads'>,
  { threads }: WhatIfChoices,
  progress: Progress,
): Promise<WhatIfResult> {
  const { whatIfOnThreads } = await import('@thplab/scenario/threads');
  const { workers } = context.io;
  return await whatIfOnThreads(snapshot, variants, {
    ...options,
    threads,
    ...(workers === undefined ? {} : { workerUrl: workers.whatIf }),
    onLook: ({ done, running }) => progress.show(lookText(done, running, variants)),
  });
}

/** `2/5 done | always, max_ptes_none 255: 30s of virtual time | ...` */
function lookText(done: number, running: WhatIfLook['running'], variants: readonly WhatIfVariant[]): string {
  const each = running.map(({ variant, virtualNs }) => {
    const what = virtualNs === 0 ? 'loading' : `${formatDuration(virtualNs)} of virtual time`;
    return `${variants[variant]?.label ?? ''}: ${what}`;
  });
  return [`${done}/${variants.length} done`, ...each].join(' | ');
}

/** Without the variant that was under way when it was stopped. Errors: InterruptedError if nothing is left. */
function finished(result: WhatIfResult): WhatIfResult {
  if (!result.partial) return result;
  const last = result.variants.at(-1);
  const variants = last === undefined || last.settled ? result.variants : result.variants.slice(0, -1);
  if (variants.length === 0) throw new InterruptedError('no variant was done yet');
  return { ...result, variants };
}

function progressText(
  { variant, variants: count, virtualNs }: WhatIfProgress,
  variants: readonly WhatIfVariant[],
): string {
  const what = virtualNs === 0 ? 'loading the snapshot' : `${formatDuration(virtualNs)} of virtual time`;
  return `${variant + 1}/${count} ${variants[variant]?.label ?? ''}: ${what}`;
}
