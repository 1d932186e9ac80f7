// The working-set estimation of the kernel's selftests on processors with a TLB: it doubles the working set until it passes
// (DAMON spec 2.1, 11.3).

import { describe, expect, it } from 'vitest';
import { runText } from '../testing/scenario-text.js';

const MIB = 2 ** 20;

/**
 * Memory swept in turn, by how far the TLB reaches: LRU and a cyclic sweep miss never, or always. `found`: within the
 * selftest's error of 20 %; otherwise nothing is.
 */
const ROWS = [
  { tlb: 'kunpeng920', reachMiB: 8, mib: 4, huge: false, found: false },
  { tlb: 'kunpeng920', reachMiB: 8, mib: 10, huge: false, found: true },
  { tlb: 'kunpeng920', reachMiB: 8, mib: 160, huge: false, found: true },
  { tlb: 'skylake', reachMiB: 6, mib: 10, huge: false, found: true },
  // In huge pages it reaches 4 GiB: doubling up to 160 MiB does not help.
  { tlb: 'kunpeng920', reachMiB: 4_096, mib: 10, huge: true, found: false },
  { tlb: 'kunpeng920', reachMiB: 4_096, mib: 160, huge: true, found: false },
] as const;
const ACCEPTED_ERROR = 0.2;

/** Bytes that were accessed at all, the mean of the rounds of 2 s. */
function estimate({ tlb, mib, huge }: (typeof ROWS)[number]): number {
  const { result } = runText(`
machine: { memory: 512M, tlb: ${tlb} }
sysfs: { enabled: ${huge ? 'always' : 'never'} }
processes: [{ name: app, vmas: [{ name: heap, size: ${2 * mib}M, populate: ${huge ? '{ order: 2M }' : 'full'} }] }]
workload:
  - { process: app, vma: heap, size: ${mib}M, pattern: sequential, rate: 20M }
damon:
  # The first round through a cold TLB walks, and would be seen.
  - operations: fvaddr
    start: 1s
    targets: [{ process: app, ranges: { vma: heap } }]
    schemes: [{ name: accessed, action: stat, accesses: ">= 1" }]
run: { for: 3.05s, khugepaged: false }
`);
  const [scheme] = result.damon[0].schemes;
  return scheme.szTried / scheme.nrSnapshots;
}

describe('the working-set estimation', () => {
  it.each(ROWS)('of $mib MiB where the TLB of $tlb reaches $reachMiB MiB: found $found', (row) => {
    const bytes = estimate(row);
    if (row.found) expect(Math.abs(bytes / (row.mib * MIB) - 1)).toBeLessThanOrEqual(ACCEPTED_ERROR);
    else expect(bytes).toBe(0);
  });
});
