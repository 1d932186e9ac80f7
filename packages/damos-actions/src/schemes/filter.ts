/** Filters of schemes as data, and what happens where none of them speaks (DAMON spec 3.7). */
import type { MemcgId } from '@thplab/mm-model';

/** Types of filters by their sysfs keywords, core filters first. */
export const FILTER_TYPES = [
  'addr',
  'target',
  'anon',
  'active',
  'memcg',
  'young',
  'hugepage_size',
  'unmapped',
] as const;
export type FilterType = (typeof FILTER_TYPES)[number];

/** What all filters have. */
interface FilterBase {
  /** True: it speaks about memory of its type; false: about all other memory. */
  readonly matching: boolean;
  /** True: what it speaks about passes; false: is rejected. */
  readonly allow: boolean;
}

/** Filters that DAMON's core evaluates on whole regions. */
export type CoreFilter = FilterBase &
  (
    | { readonly type: 'addr'; readonly start: number; readonly end: number }
    | { readonly type: 'target'; readonly targetIndex: number }
  );

/** Filters that operations evaluate on each folio. `memcg` is of one cgroup alone, not of those below it. */
export type OpsFilter = FilterBase &
  (
    | { readonly type: 'anon' | 'active' | 'young' | 'unmapped' }
    | { readonly type: 'memcg'; readonly memcg: MemcgId }
    | { readonly type: 'hugepage_size'; readonly min: number; readonly max: number }
  );

/** A layer rejects what no filter speaks about if its last filter allows (`damos_filters_default_reject`). */
export function defaultReject(filters: readonly FilterBase[]): boolean {
  return filters.at(-1)?.allow === true;
}

/** As `defaultReject` for the core layer: where operations filters follow, the last word is theirs. */
export function coreDefaultReject(core: readonly FilterBase[], ops: readonly FilterBase[]): boolean {
  return ops.length === 0 && defaultReject(core);
}
