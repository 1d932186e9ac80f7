/** The kernel's counters before and after. They count the whole machine: other users of huge pages show up in them. */
import { readdirSync, readFileSync } from 'node:fs';
import { MTHP_COMPARED, VMSTAT_COMPARED } from '../outcome.js';
import { CounterFile, THP_SYSFS } from './proc-files.js';

/** See the head of the file. */
export class Counters {
  private readonly vmstat: CounterFile = new CounterFile('/proc/vmstat');
  private readonly stats: readonly (readonly [string, CounterFile])[];
  private readonly schedstat: CounterFile | undefined;

  /** `khugepaged`: its process id, to notice when it ran. */
  constructor(khugepaged: number | undefined) {
    const folder = `${THP_SYSFS}/hugepages-2048kB/stats`;
    const there = new Set(readdirSync(folder));
    this.stats = MTHP_COMPARED.filter((name) => there.has(name)).map(
      (name) => [`2048kB ${name}`, new CounterFile(`${folder}/${name}`)] as const,
    );
    this.schedstat = khugepaged === undefined ? undefined : new CounterFile(`/proc/${khugepaged}/schedstat`);
  }

  /** All counters that are compared, now. */
  read(): Map<string, number> {
    const values = new Map<string, number>();
    const text = this.vmstat.text();
    for (const name of VMSTAT_COMPARED) {
      const at = text.indexOf(`\n${name} `);
      if (at >= 0) values.set(name, Number.parseInt(text.slice(at + name.length + 2), 10));
    }
    for (const [name, file] of this.stats) values.set(name, Number(file.text()));
    return values;
  }

  /** The same and khugepaged's own: how many ranges it has collapsed, how often it came to the end of its list. */
  readWithKhugepaged(): Map<string, number> {
    const values = this.read();
    for (const name of ['pages_collapsed', 'full_scans']) {
      values.set(name, Number(readFileSync(`${THP_SYSFS}/khugepaged/${name}`, 'latin1')));
    }
    return values;
  }

  /** How often khugepaged has been on a processor. */
  khugepagedRuns(): number {
    return Number(this.schedstat?.text().split(' ')[2] ?? 0);
  }
}

/** What has changed; unchanged counters are left out. */
export function growth(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): Record<string, number> {
  const grown: Record<string, number> = {};
  for (const [name, value] of after) {
    const by = value - (before.get(name) ?? 0);
    if (by !== 0) grown[name] = by;
  }
  return grown;
}
