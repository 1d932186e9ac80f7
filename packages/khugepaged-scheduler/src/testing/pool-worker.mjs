// The pool's worker from its sources: what a published package has as a built file.
await import(new URL('../../../sync/src/testing/source-hooks.mjs', import.meta.url).href);

export const { ahead, scan } = await import('../pool/worker.ts');
