/** A scheme of a scenario as DAMON takes it. */
import type { CoreFilter, OpsFilter, SchemeInput } from '@thplab/damos-actions';
import type { DamonFilterSpec, SchemeSpec } from '../format/index.js';
import { scenarioError } from '../run/run-error.js';
import type { World } from '../run/world.js';
import { addressRange } from './address-ranges.js';

/** Filters go to their layers in the order of the file. Errors: ScenarioError for a filter whose VMA is not there. */
export function schemeInput(world: World, { config, filters }: SchemeSpec): SchemeInput {
  const coreFilters: CoreFilter[] = [];
  const opsFilters: OpsFilter[] = [];
  for (const filter of filters) {
    if (filter.type === 'addr' || filter.type === 'target') coreFilters.push(coreFilter(world, filter));
    else opsFilters.push(opsFilter(filter));
  }
  return { ...config, coreFilters, opsFilters };
}

function coreFilter(world: World, filter: Extract<DamonFilterSpec, { type: 'addr' | 'target' }>): CoreFilter {
  const { matching, allow } = filter;
  if (filter.type === 'target') return { type: 'target', matching, allow, targetIndex: filter.index };
  const [range] = addressRange(world, filter.range, null);
  if (range === undefined) {
    throw scenarioError(world.locate, filter.key, 'the range of this filter is not mapped then', 'name another VMA');
  }
  return { type: 'addr', matching, allow, ...range };
}

function opsFilter(filter: Exclude<DamonFilterSpec, { type: 'addr' | 'target' }>): OpsFilter {
  const { matching, allow } = filter;
  if (filter.type !== 'hugepage_size') return { type: filter.type, matching, allow };
  return { type: 'hugepage_size', matching, allow, min: filter.min, max: filter.max };
}
