/** Golden data of actions and checks seen through a TLB (DAMON spec 2.1). See golden.ts. */

/** Memory that the TLB knows, an action on it, and what the next access comes to. */
export const ACTIONS_AND_TLB = [
  { row: '2.1 collapse', action: 'collapse', memory: 'base pages', next: 'walk' },
  { row: '2.1 split by a scheme', action: 'split', memory: 'huge page', next: 'walk' },
  { row: '2.1 pageout by a scheme', action: 'pageout', memory: 'base pages', next: 'fault' },
  { row: '2.1 DAMON invalidates nothing', action: 'stat', memory: 'base pages', next: 'hit' },
  { row: '2.1 DAMON invalidates nothing', action: 'stat', memory: 'huge page', next: 'hit' },
] as const;
