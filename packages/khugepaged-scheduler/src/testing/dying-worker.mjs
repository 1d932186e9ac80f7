// The pools' worker from its sources, with a death in it: see death.ts.
await import(new URL('../../../sync/src/testing/source-hooks.mjs', import.meta.url).href);
const { arrangeDeath } = await import('./death.ts');
arrangeDeath();

export const { ahead, scan } = await import('../pool/worker.ts');
