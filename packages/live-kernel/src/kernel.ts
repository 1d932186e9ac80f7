/** What the running kernel is, and which kernel profile of the model it corresponds to. */
import { readFileSync } from 'node:fs';

/** Profiles that name a released kernel, with the first release that behaves so; newest first. */
const RELEASED = [
  { profile: 'v6.18', from: [6, 18], before: [6, 19] },
  { profile: 'v6.13', from: [6, 13], before: [6, 14] },
] as const;

/** Profile for a kernel release such as `6.18.44-generic`; undefined for one that no profile describes. */
export function exactProfileOfRelease(release: string): string | undefined {
  const [major, minor] = release.split(/[.-]/).map(Number);
  const at = (version: readonly [number, number]): number => major - version[0] || minor - version[1];
  return RELEASED.find(({ from, before }) => at(from) >= 0 && at(before) < 0)?.profile;
}

/** Release of the running kernel, as `uname -r` prints it; empty where there is no /proc. */
export function kernelRelease(): string {
  return readOrEmpty('/proc/sys/kernel/osrelease').trim();
}

/** Model name of the first processor, as /proc/cpuinfo has it. */
export function processorName(): string {
  return /^(?:model name|CPU implementer)\s*: (.*)$/m.exec(readOrEmpty('/proc/cpuinfo'))?.[1] ?? process.arch;
}

/** A file's text; empty if it cannot be read. */
export function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
