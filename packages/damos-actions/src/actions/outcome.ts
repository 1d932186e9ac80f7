/** What an action did to a region, in bytes. */
export interface ActionOutcome {
  /** What it says it dealt with; may be more than the region's size. */
  readonly applied: number;
  /** What the operations filters let pass. */
  readonly passed: number;
}

/** The action cannot be done by these operations, or did nothing. */
export const NOTHING_DONE: ActionOutcome = { applied: 0, passed: 0 };
