import { describe, expect, it } from 'vitest';
import {
  KHUGEPAGED_COUNTER_NAMES,
  khugepagedCounterIndex,
  MTHP_STAT_CELL_COUNT,
  MTHP_STAT_COUNT,
  MTHP_STAT_NAMES,
  mthpStatCell,
  mthpStatIndex,
  VMSTAT_NAMES,
  type VmstatName,
  vmstatIndex,
} from './counters.js';
import { SysfsSchemaError } from './errors.js';
import {
  GLOBAL_SETTING_KEYS,
  ORDER_SETTING_KEYS,
  SETTING_COUNT,
  type SettingKey,
  settingAt,
  settingIndex,
} from './settings.js';
import { LINUX_6_18_VMSTAT } from './testing/linux-6-18.js';
import { describeVmstat, formatVmstat } from './vmstat.js';

const ORDERS = Array.from({ length: 14 }, (_, order) => order);

describe('cells of settings', () => {
  it('are dense: every setting has its own of SETTING_COUNT, and each cell names its setting', () => {
    const cells = [
      ...GLOBAL_SETTING_KEYS.map((key) => settingIndex(key)),
      ...ORDER_SETTING_KEYS.flatMap((key) => ORDERS.map((order) => settingIndex(key, order))),
    ];
    expect(cells.toSorted((a, b) => a - b)).toEqual(Array.from({ length: SETTING_COUNT }, (_, i) => i));
    for (const cell of cells) {
      const { key, order } = settingAt(cell);
      expect(settingIndex(key, order ?? undefined)).toBe(cell);
    }
  });

  it('refuse an unknown key, a missing or needless order, and a cell outside', () => {
    const loose = settingIndex as (key: string, order?: number) => number;
    expect(() => loose('nonsense')).toThrow(/no setting is called "nonsense"/);
    expect(() => loose('constructor')).toThrow(SysfsSchemaError);
    expect(() => loose('hugepages.enabled')).toThrow(/needs an order from 0 to 13/);
    expect(() => loose('hugepages.enabled', 14)).toThrow(/not 14/);
    expect(() => loose('enabled', 4)).toThrow(/takes no order/);
    for (const cell of [-1, SETTING_COUNT, 0.5, GLOBAL_SETTING_KEYS.length + 0.5])
      expect(() => settingAt(cell), String(cell)).toThrow(SysfsSchemaError);
  });

  it('the key type is closed', () => {
    const key: SettingKey = 'khugepaged.max_ptes_none';
    expect(GLOBAL_SETTING_KEYS).toContain(key);
  });
});

describe('cells of counters', () => {
  it('follow the order of the names', () => {
    expect(VMSTAT_NAMES.map(vmstatIndex)).toEqual(VMSTAT_NAMES.map((_, i) => i));
    expect(MTHP_STAT_NAMES.map(mthpStatIndex)).toEqual(MTHP_STAT_NAMES.map((_, i) => i));
    expect(KHUGEPAGED_COUNTER_NAMES.map(khugepagedCounterIndex)).toEqual([0, 1]);
    const cells = ORDERS.flatMap((order) => MTHP_STAT_NAMES.map((name) => mthpStatCell(name, order)));
    expect(cells).toEqual(Array.from({ length: MTHP_STAT_CELL_COUNT }, (_, i) => i));
    expect(MTHP_STAT_CELL_COUNT).toBe(14 * MTHP_STAT_COUNT);
  });

  it('refuse names that are none', () => {
    expect(() => vmstatIndex('thp_nonsense' as VmstatName)).toThrow(/no vmstat counter is called "thp_nonsense"/);
    expect(() => mthpStatCell('swpout', 14)).toThrow(/order from 0 to 13, not 14/);
  });
});

describe('vmstat', () => {
  const machine = LINUX_6_18_VMSTAT.trimEnd()
    .split('\n')
    .map((line) => line.split(' ') as [string, string]);
  const ours = new Set<string>(VMSTAT_NAMES);

  it('has every thp_, compact_ and huge page line of a running 6.18, in its order', () => {
    const wanted = machine
      .map(([name]) => name)
      .filter((name) => /^thp_|^compact_|huge|transparent|^pgmigrate/.test(name));
    expect(wanted.filter((name) => !ours.has(name))).toEqual(['numa_huge_pte_updates']);
    const common = machine.map(([name]) => name).filter((name) => ours.has(name));
    expect(VMSTAT_NAMES.filter((name) => common.includes(name))).toEqual(common);
    expect(wanted.length).toBeGreaterThan(35);
  });

  it('prints that machine’s lines when fed with its values', () => {
    const values = new Float64Array(VMSTAT_NAMES.length);
    for (const [name, value] of machine) if (ours.has(name)) values[vmstatIndex(name as VmstatName)] = Number(value);
    const lines = formatVmstat(values).split('\n');
    for (const [name, value] of machine) if (ours.has(name)) expect(lines).toContain(`${name} ${value}`);
    expect(lines).toHaveLength(VMSTAT_NAMES.length + 1);
  });

  it('describes every counter, levels apart from events', () => {
    for (const name of VMSTAT_NAMES) {
      const { doc, kind } = describeVmstat(name);
      expect(doc, name).not.toBe('');
      expect(kind, name).toBe(name.startsWith('nr_') ? 'level' : 'event');
    }
  });
});
