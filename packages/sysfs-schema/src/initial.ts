/**
 * What the settings are when nobody has written to a file yet: the defaults, what the kernel's command line says, and the
 * kernel's own caution on small machines.
 */
import { parseSizePolicies } from './boot-sizes.js';
import { SHMEM_ENABLED, SHMEM_ENABLED_WORDS, THP_DEFRAG, THP_ENABLED, THP_ENABLED_WORDS } from './choices.js';
import { KHUGEPAGED_SETTINGS, ORDER_SETTINGS, type OrderSettingDeclaration, ROOT_SETTINGS } from './declarations.js';
import { anonOrders, checkGeometry, fileOrders, GEOMETRY_4K, type Geometry, MAX_PMD_ORDER } from './geometry.js';
import { shmemOrderMasks } from './order-masks.js';
import { type OrderSettingKey, SETTING_COUNT, settingIndex } from './settings.js';

/** What besides the command line decides the first settings. */
export interface BootMachine {
  /** What the kernel was built with: `enabled` without a boot option. Default madvise. */
  readonly enabledDefault?: keyof typeof THP_ENABLED;
  /** Memory in bytes; below 512 MiB the kernel switches the top-level settings off. Default: plenty. */
  readonly memoryBytes?: number;
}

/** An option that the kernel would warn of and ignore. */
export interface BootProblem {
  readonly option: string;
  readonly message: string;
}

export interface BootSettings {
  /** A flat store at the places of settingIndex; orders that have no file are `never`, apart from the PMD order. */
  readonly settings: Uint32Array;
  readonly problems: readonly BootProblem[];
  /** Words of the command line that are not about huge page settings, as written. */
  readonly others: readonly string[];
}

/** Below this the kernel clears all its top-level huge page flags at boot, whatever the command line says. */
const SMALL_MACHINE_BYTES = 512 * 2 ** 20;

/** The settings after a boot without options on a machine of 512 MiB or more. */
export function defaultSettings(geometry: Geometry): Uint32Array {
  return parseBootOptions('', geometry).settings;
}

/**
 * The settings after a boot with this command line (khugepaged spec 14.1): transparent_hugepage=, thp_anon=,
 * transparent_hugepage_shmem= and thp_shmem=, left to right. The first good thp_anon= (thp_shmem=) makes every size it does
 * not name `never`, the PMD size included; further ones add to it. An option with a mistake is ignored whole, as the kernel
 * does, and reported; it is the caller's choice to make that an error.
 */
export function parseBootOptions(
  commandLine: string,
  geometry: Geometry = GEOMETRY_4K,
  machine: BootMachine = {},
): BootSettings {
  checkGeometry(geometry);
  const boot = new Boot(geometry);
  boot.settings[settingIndex('enabled')] = THP_ENABLED[machine.enabledDefault ?? 'madvise'];
  for (const [word] of commandLine.matchAll(/(?:[^\s"]|"[^"]*"?)+/g)) {
    if (word === '--') break; // what follows is for init
    boot.take(word.replaceAll('"', ''));
  }
  boot.finish();
  if ((machine.memoryBytes ?? SMALL_MACHINE_BYTES) < SMALL_MACHINE_BYTES) {
    boot.settings[settingIndex('enabled')] = THP_ENABLED.never;
    boot.settings[settingIndex('defrag')] = THP_DEFRAG.never;
    boot.settings[settingIndex('use_zero_page')] = 0;
    boot.settings[settingIndex('khugepaged.defrag')] = 0;
  }
  const { settings, problems, others } = boot;
  return { settings, problems, others };
}

/** The settings while the command line is read. Per-size settings start as `never` and get defaults only at the end. */
class Boot implements BootSettings {
  readonly settings: Uint32Array = new Uint32Array(SETTING_COUNT);
  readonly problems: BootProblem[] = [];
  readonly others: string[] = [];
  readonly #geometry: Geometry;
  readonly #configured = new Set<string>();
  /** What each option does with its value; the answer is what is wrong with it, or null. */
  readonly #takers: Readonly<Record<string, (value: string) => string | null>> = {
    transparent_hugepage: (value) => this.#takeChoice('enabled', value, THP_ENABLED_WORDS),
    transparent_hugepage_shmem: (value) => this.#takeChoice('shmem_enabled', value, SHMEM_ENABLED_WORDS),
    thp_anon: (value) => this.#takeSizes('hugepages.enabled', value),
    thp_shmem: (value) => this.#takeSizes('hugepages.shmem_enabled', value),
  };

  constructor(geometry: Geometry) {
    this.#geometry = geometry;
    for (const setting of [...ROOT_SETTINGS, ...KHUGEPAGED_SETTINGS])
      this.settings[settingIndex(setting.key)] = setting.default(geometry);
    for (const setting of ORDER_SETTINGS)
      for (let order = 0; order <= MAX_PMD_ORDER; order++)
        this.settings[settingIndex(setting.key, order)] = setting.otherDefault;
  }

  take(option: string): void {
    const equals = option.indexOf('=');
    const value = option.slice(equals + 1);
    // The kernel reads a dash in an option's name as an underscore.
    const name = equals === -1 ? '' : option.slice(0, equals).replaceAll('-', '_');
    const take = Object.hasOwn(this.#takers, name) ? this.#takers[name] : undefined;
    if (take === undefined) {
      this.others.push(option);
      return;
    }
    const mistake = take(value);
    if (mistake !== null)
      this.problems.push({ option, message: `${option}: ${mistake}; the kernel ignores the option` });
  }

  finish(): void {
    const { pmdOrder } = this.#geometry;
    for (const setting of ORDER_SETTINGS)
      if (!this.#configured.has(setting.key)) this.settings[settingIndex(setting.key, pmdOrder)] = setting.pmdDefault;
  }

  #takeChoice(key: 'enabled' | 'shmem_enabled', value: string, words: readonly string[]): string | null {
    const choice = words.indexOf(value);
    if (choice === -1) return `${JSON.stringify(value)} is none of ${words.join(', ')}`;
    if (key === 'shmem_enabled' && choice === SHMEM_ENABLED.force && !this.#onlyPmdInherits())
      return 'force needs a thp_shmem= before it in which the PMD size, and no other, is inherit';
    this.settings[settingIndex(key)] = choice;
    return null;
  }

  /** The rule of checkWrite; the PMD size's own default comes too late to fulfil it here. */
  #onlyPmdInherits(): boolean {
    return shmemOrderMasks(this.settings, this.#geometry).inherit === 1 << this.#geometry.pmdOrder;
  }

  #takeSizes(key: OrderSettingKey, value: string): string | null {
    const setting = ORDER_SETTINGS.find((s) => s.key === key);
    const words = setting?.grammar.kind === 'choice' ? setting.grammar.choices : [];
    const orders = setting === undefined ? [] : ordersOf(setting, this.#geometry);
    const parsed = parseSizePolicies(value, this.#geometry, orders, words);
    if (!parsed.ok) return parsed.message;
    this.#configured.add(key);
    for (const [order, word] of parsed.policies) this.settings[settingIndex(key, order)] = words.indexOf(word);
    return null;
  }
}

function ordersOf(setting: OrderSettingDeclaration, geometry: Geometry): readonly number[] {
  return setting.orders === 'anon' ? anonOrders(geometry) : fileOrders(geometry);
}
