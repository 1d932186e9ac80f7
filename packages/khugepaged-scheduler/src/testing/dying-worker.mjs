// A worker of the pool that ends when it is scanner 1.
await import(new URL('../../../sync/src/testing/source-hooks.mjs', import.meta.url).href);
const worker = await import('../pool/worker.ts');

export function scan(task) {
  if (task.scanner === 1) process.exit(3);
  return worker.scan(task);
}
