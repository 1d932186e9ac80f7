/** `damonContext.state`. */
export const DAMON_STATE = { created: 0, running: 1, ended: 2 } as const;
