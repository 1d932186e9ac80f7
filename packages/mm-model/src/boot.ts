/**
 * Starting a machine: memory to the allocator, settings to their defaults and to what the kernel command line says.
 */
import { type BootProblem, parseBootOptions } from '@thplab/sysfs-schema';
import { initBuddy } from './buddy.js';
import { createMachine, type Machine, type MachineConfig } from './machine.js';

/** How a machine starts. */
export interface BootConfig extends MachineConfig {
  /** Kernel command line; only the transparent huge page options are read. */
  readonly commandLine?: string;
}

/** A running machine, and what was wrong with its command line. */
export interface Booted {
  readonly machine: Machine;
  readonly problems: readonly BootProblem[];
}

/** Makes and starts a machine. */
export function bootMachine(config: BootConfig): Booted {
  const machine = createMachine(config);
  initBuddy(machine, config.nodePages);
  const pages = config.nodePages.reduce((sum, n) => sum + n, 0);
  const boot = parseBootOptions(config.commandLine ?? '', machine.geometry, {
    memoryBytes: pages * 2 ** machine.geometry.pageShift,
  });
  machine.setting.value.set(boot.settings);
  return { machine, problems: boot.problems };
}
