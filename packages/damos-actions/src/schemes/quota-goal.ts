/** Goals of quotas: what is measured, and how near it is to what is wanted (DAMON spec 3.5). */
import { FOLIO, folioHead, memcgLruPages, PAGE } from '@thplab/mm-model';
import { BASIS_POINTS, multiplyDivide } from '../arithmetic.js';
import type { Damon, RunningScheme } from '../damon.js';
import { coreFilterMatch } from './core-filters.js';
import { defaultReject } from './filter.js';
import { patternFits } from './pattern.js';
import type { QuotaGoal } from './scheme.js';

/** The score of a quota's goals: the highest of current / target, 10000 being the goal (`damos_quota_score`). */
export function quotaScore(d: Damon, scheme: RunningScheme): bigint {
  let highest = 0n;
  for (const goal of scheme.config.quota.goals) {
    const current = goalValue(d, scheme, goal);
    if (goal.targetValue === 0) continue;
    const score = (BigInt(current) * BigInt(BASIS_POINTS)) / BigInt(goal.targetValue);
    if (score > highest) highest = score;
  }
  return highest;
}

/** What a goal's metric reads now (`damos_set_quota_goal_current_value`). */
export function goalValue(d: Damon, scheme: RunningScheme, goal: QuotaGoal): number {
  switch (goal.metric) {
    case 'user_input':
      return goal.currentValue ?? 0;
    case 'some_mem_psi_us':
      return psiIncrease(d, scheme);
    case 'node_mem_used_bp':
      return isNode(d, goal.nid) ? nodeShare(d, goal.nid, nodePages(d, goal.nid) - d.m.node.freePages[goal.nid]) : 0;
    case 'node_mem_free_bp':
      return isNode(d, goal.nid) ? nodeShare(d, goal.nid, d.m.node.freePages[goal.nid]) : BASIS_POINTS;
    case 'node_memcg_used_bp':
      return isNode(d, goal.nid) ? nodeShare(d, goal.nid, memcgPages(d, goal, goal.nid)) : 0;
    case 'node_memcg_free_bp':
      return isNode(d, goal.nid)
        ? nodeShare(d, goal.nid, nodePages(d, goal.nid) - memcgPages(d, goal, goal.nid))
        : BASIS_POINTS;
    case 'active_mem_bp':
      return lruShare(d, true);
    case 'inactive_mem_bp':
      return lruShare(d, false);
    case 'node_eligible_mem_bp':
      return isNode(d, goal.nid) ? eligibleShare(d, scheme, goal.nid) : 0;
  }
}

/** Stall time since the last look, µs. */
function psiIncrease(d: Damon, scheme: RunningScheme): number {
  const { lastPsiUs } = d.t.damosScheme;
  const total = d.someMemPsiUs();
  const increase = total - lastPsiUs[scheme.row];
  lastPsiUs[scheme.row] = total;
  return Math.max(0, Math.floor(increase));
}

function isNode(d: Damon, nid: number | undefined): nid is number {
  return nid !== undefined && nid >= 0 && nid < d.m.nodes;
}

function nodePages(d: Damon, nid: number): number {
  return d.m.node.endPfn[nid] - d.m.node.firstPfn[nid];
}

function nodeShare(d: Damon, nid: number, pages: number): number {
  return multiplyDivide(pages, BASIS_POINTS, nodePages(d, nid));
}

/** Pages of the goal's memory cgroup, and of those below it, on the node's LRU lists; one that is gone has none. */
function memcgPages(d: Damon, { memcg }: QuotaGoal, nid: number): number {
  return memcg === undefined ? 0 : memcgLruPages(d.m, memcg, nid);
}

/** Share of the active (or inactive) folios in all on the LRU, basis points of pages; 0 if there are none. */
function lruShare(d: Damon, active: boolean): number {
  const { flags } = d.m.frame;
  let wanted = 0;
  let all = 0;
  for (let pfn = 1; pfn < flags.length; pfn++) {
    if ((flags[pfn] & PAGE.ALLOCATED) === 0) continue;
    const head = flags[folioHead(d.m, pfn)];
    if ((head & FOLIO.LRU) === 0) continue;
    all++;
    if (((head & FOLIO.ACTIVE) !== 0) === active) wanted++;
  }
  return all === 0 ? 0 : multiplyDivide(wanted, BASIS_POINTS, all);
}

/** Share of a node's memory that the scheme's pattern and core filters let through; physical addresses only. */
function eligibleShare(d: Damon, scheme: RunningScheme, nid: number): number {
  const unitsPerPage = 2 ** d.m.geometry.pageShift / d.t.damonContext.addrUnit[d.context];
  const from = d.m.node.firstPfn[nid] * unitsPerPage;
  const to = d.m.node.endPfn[nid] * unitsPerPage;
  const r = d.t.damonRegion;
  let eligible = 0;
  for (const target of d.targets.rows(d.context)) {
    for (let region = d.regions.first(target); region !== 0; region = d.regions.next(region)) {
      if (!patternFits(d, region, scheme.config.pattern) || rejected(d, target, region, scheme)) continue;
      eligible += Math.max(0, Math.min(to, r.end[region]) - Math.max(from, r.start[region]));
    }
  }
  return multiplyDivide(eligible, BASIS_POINTS, to - from);
}

function rejected(d: Damon, target: number, region: number, { config }: RunningScheme): boolean {
  for (const filter of config.coreFilters) {
    if (coreFilterMatch(d, target, region, filter)) return !filter.allow;
  }
  return config.opsFilters.length === 0 && defaultReject(config.coreFilters);
}
