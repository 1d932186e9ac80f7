/** Expectations about address translation. */
import { addTlbCounts, NO_TLB_COUNTS, tlbHitRate, tlbLostNs, tlbWalks } from '@thplab/mm-model';
import { type Bound, formatCount, formatDuration, formatShare, type TlbExpectation } from '../format/index.js';
import type { World } from '../run/world.js';
import { type Judged, judgeNumber } from './judged.js';

/** Up to three rows. Without a TLB nothing was walked and nothing hit. */
export function judgeTlb(world: World, one: TlbExpectation): Judged[] {
  const { hardware } = world;
  const processes = one.process === null ? world.processes.all : world.processes.everNamed(one.process);
  const counts = processes.reduce(
    (sum, process) => (hardware === undefined ? sum : addTlbCounts(sum, hardware.counts(process))),
    NO_TLB_COUNTS,
  );
  const who = one.process ?? 'all processes';
  const row = (what: string, bound: Bound | null, actual: number, format: (value: number) => string): Judged[] =>
    bound === null ? [] : [judgeNumber(one.key, `${who}: ${what}`, bound, actual, format)];
  const lost = hardware === undefined ? 0 : Math.round(tlbLostNs(hardware.tlb.spec, counts));
  return [
    ...row('TLB hit rate', one.hitRate, tlbHitRate(counts), (share) => formatShare(share, 3)),
    ...row('page walks', one.walks, Math.round(tlbWalks(counts)), formatCount),
    ...row('time lost to translation', one.lost, lost, formatDuration),
  ];
}
