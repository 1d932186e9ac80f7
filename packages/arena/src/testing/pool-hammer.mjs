// A thread that allocates and frees rows of a shared pool as fast as it can, with the real code, read from its sources.
// Each row it holds it marks as its own; a row that was handed out twice shows at once.
import { registerHooks } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';

registerHooks({
  resolve: (specifier, context, next) => next(specifier.replace(/^(\.\/.*)\.js$/, '$1.ts'), context),
});
const { Arena } = await import('../index.ts');

const { decls, handle, me, rounds, held } = workerData;
const { pool, owner } = Arena.attach(decls, handle.sizes, handle.buffer).tables.rows;
const ready = new Int32Array(workerData.ready);
Atomics.add(ready, 0, 1);
Atomics.notify(ready, 0);
while (Atomics.load(ready, 0) < workerData.threads) Atomics.wait(ready, 0, Atomics.load(ready, 0), 100);

const mine = [];
let clashes = 0;
for (let round = 0; round < rounds; round++) {
  const row = pool.alloc();
  if (Atomics.compareExchange(owner, row, 0, me) !== 0) clashes++;
  mine.push(row);
  if (mine.length < held) continue;
  const [oldest] = mine.splice((round * 7) % mine.length, 1);
  if (Atomics.exchange(owner, oldest, 0) !== me) clashes++;
  pool.free(oldest);
}
parentPort.postMessage({ mine, clashes });
