/** The section about address translation: what the TLBs remembered, what walks cost. */
import { formatCount, formatDuration, formatShare, formatSize, type ScenarioResult } from '@thplab/scenario';
import type { Palette } from '../../output/palette.js';
import { type Column, table } from '../../output/table.js';

const RIGHT = { align: 'right' } as const;

/** Empty without a TLB, or where nobody made an access through it. */
export function tlbLines({ tlb, header, processes }: ScenarioResult, colors: Palette): string {
  const rows = processes.flatMap(({ name, tlb: own }) => {
    if (own === null) return [];
    return [
      [
        name,
        formatCount(own.accesses),
        formatShare(own.hitRate, 3),
        formatCount(own.walks),
        formatCount(own.cycles),
        formatDuration(own.lostNs),
        formatCount(own.entries),
        formatSize(own.reach),
        own.form,
      ],
    ];
  });
  if (tlb === null || rows.length === 0) return '';
  const columns: Column[] = [
    { title: 'TLB' },
    { title: 'accesses', ...RIGHT },
    { title: 'hits', ...RIGHT },
    { title: 'walks', ...RIGHT },
    { title: 'cycles lost', ...RIGHT },
    { title: 'time lost', ...RIGHT },
    { title: 'entries needed', ...RIGHT },
    { title: 'reach', ...RIGHT },
    { title: 'form' },
  ];
  const { pageSize, blockSize } = header;
  const reach = `${tlb.name} reaches ${formatSize(tlb.reachBase)} in ${formatSize(pageSize)} pages, ${formatSize(tlb.reachHuge)} in ${formatSize(blockSize)}`;
  return `${table(columns, rows, colors)}${colors.faint(`  ${reach}`)}\n`;
}
