/** Counters that are not 0, the kernel's names as they are. */
import { formatCount, type ScenarioResult } from '@thplab/scenario';
import type { Palette } from '../../output/palette.js';
import { table } from '../../output/table.js';

/** vmstat's lines about huge pages, khugepaged and swap; the others say nothing about policy. */
const TELLING = /^(thp_|zero_page|compact_|pswp|swpin|swpout|deferred|pgmigrate|ksm|nr_anon_transparent)/;

export function counterLines({ vmstat, sysfs }: ScenarioResult, colors: Palette): string {
  const counters = [...Object.entries(sysfs), ...Object.entries(vmstat).filter(([name]) => TELLING.test(name))].map(
    ([name, count]) => [name, formatCount(count)],
  );
  return table([{ title: 'counter' }, { title: 'value', align: 'right' }], counters, colors);
}
