/** Operations filters, asked of each folio (DAMON spec 3.7). */
import { FOLIO, folioHas, folioMapcount, folioMemcg, folioPages, type Pfn } from '@thplab/mm-model';
import type { Procedure } from '@thplab/sync';
import { folioMkold, folioYoung } from '../access/paddr.js';
import type { Damon, RunningScheme } from '../damon.js';
import { defaultReject, type OpsFilter } from './filter.js';

/**
 * True if the operations filters reject the folio (`damos_pa_filter_out`): the first that speaks decides. They are not asked
 * where a core filter has allowed the region. `filters`: the scheme's, or these and what the action adds.
 */
export function* opsFilterOut(
  d: Damon,
  scheme: RunningScheme,
  head: Pfn,
  filters: readonly OpsFilter[] = scheme.config.opsFilters,
): Procedure<boolean> {
  if (d.t.damosScheme.coreAllowed[scheme.row] === 1) return false;
  for (const filter of filters) {
    if (yield* opsFilterMatch(d, head, filter)) return !filter.allow;
  }
  return defaultReject(scheme.config.opsFilters);
}

/** True if the filter speaks about the folio. A folio that a `young` filter finds young is made old. */
function* opsFilterMatch(d: Damon, head: Pfn, filter: OpsFilter): Procedure<boolean> {
  if (filter.type !== 'young') return isOfType(d, head, filter) === filter.matching;
  const young = yield* folioYoung(d, head);
  if (young) yield* folioMkold(d, head);
  return young === filter.matching;
}

function isOfType({ m }: Damon, head: Pfn, filter: OpsFilter): boolean {
  switch (filter.type) {
    case 'anon':
      return folioHas(m, head, FOLIO.ANON);
    case 'active':
      return folioHas(m, head, FOLIO.ACTIVE);
    case 'memcg':
      return folioMemcg(m, head) === filter.memcg;
    case 'unmapped':
      return folioMapcount(m, head) === 0;
    case 'hugepage_size': {
      const size = folioPages(m, head) * 2 ** m.geometry.pageShift;
      return filter.min <= size && size <= filter.max;
    }
    default:
      return false;
  }
}
