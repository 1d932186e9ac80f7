// The worker of what-if from its sources: what a published package has as a built file.
await import(new URL('../../../sync/src/testing/source-hooks.mjs', import.meta.url).href);
await import('../threads/what-if-worker.ts');
