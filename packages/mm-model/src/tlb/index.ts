export * from './access.js';
export * from './contiguous.js';
export * from './counts.js';
export * from './errors.js';
export * from './reach.js';
export * from './spec.js';
export * from './tables.js';
export { createTlb, flushMm, flushRange, switchMm, type Tlb, type TlbArray, type TlbFill } from './tlb.js';
