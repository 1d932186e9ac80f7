/** Options that several verbs share: each means the same everywhere. */

import type { Geometry, KernelProfile } from '@thplab/sysfs-schema';
import {
  DEFAULT_PROFILE,
  GEOMETRY_4K,
  GEOMETRY_16K,
  GEOMETRY_64K,
  isKernelProfile,
  KERNEL_PROFILES,
} from '@thplab/sysfs-schema';
import { type Command, InvalidArgumentError, Option } from 'commander';

export interface OutputOptions {
  readonly json?: boolean;
  readonly ndjson?: boolean;
  readonly output?: string;
}

/** `--json`, `-o`, and `--ndjson` with what one line is. */
export function outputOptions(command: Command, line: string | null): Command {
  command.addOption(new Option('--json', 'print one JSON document').conflicts('ndjson'));
  if (line !== null) command.addOption(new Option('--ndjson', `print one JSON document per line: ${line}`));
  return command.option('-o, --output <file>', 'write the result to a file, whole or not at all ("-": stdout)');
}

/** `--kernel`; without it the default profile, or what the file says. */
export function kernelOption(command: Command, what: string): Command {
  return command.addOption(new Option('--kernel <profile>', what).choices([...KERNEL_PROFILES]));
}

/** Profiles that are a set of files only: `isModelled` of the scenario package, which help texts do not load, denies them. */
export const WITHOUT_COLLAPSE: readonly KernelProfile[] = ['damon-rfc'];

/** All others. */
export const RUNNABLE_KERNELS: readonly KernelProfile[] = KERNEL_PROFILES.filter(
  (kernel) => !WITHOUT_COLLAPSE.includes(kernel),
);

/** `--kernel` of verbs that run something: offers what can run, and leaves it to `runnableKernel` to say why another cannot. */
export function kernelToRunOption(command: Command, what: string): Command {
  const option = new Option('--kernel <profile>', what).choices([...RUNNABLE_KERNELS]);
  return command.addOption(
    option.argParser((name) => {
      if (isKernelProfile(name)) return name;
      throw new InvalidArgumentError(`Allowed choices are ${RUNNABLE_KERNELS.join(', ')}.`);
    }),
  );
}

/** `--page-size`, for verbs that have no scenario to say it. */
export function pageSizeOption(command: Command): Command {
  return command.addOption(
    new Option('--page-size <size>', 'base page size').choices(['4K', '16K', '64K']).default('4K'),
  );
}

export function kernelOf(options: { readonly kernel?: string }): KernelProfile {
  return (options.kernel as KernelProfile | undefined) ?? DEFAULT_PROFILE;
}

export function geometryOf(options: { readonly pageSize: string }): Geometry {
  if (options.pageSize === '64K') return GEOMETRY_64K;
  return options.pageSize === '16K' ? GEOMETRY_16K : GEOMETRY_4K;
}

/** For options that may be given again: gathers the values. */
export function gather(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** A whole number from 0. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (/^[0-9]{1,15}$/.test(text)) return value;
  throw new InvalidArgumentError('It must be a whole number from 0.');
}

/** `PATH=VALUE`. */
export function assignment(text: string): readonly [path: string, value: string] | null {
  const equals = text.indexOf('=');
  return equals <= 0 ? null : [text.slice(0, equals).trim(), text.slice(equals + 1)];
}

/** A process number. */
export function processId(text: string): number {
  const value = Number(text);
  if (/^[1-9][0-9]{0,9}$/.test(text)) return value;
  throw new InvalidArgumentError('It must be the number of a process.');
}
