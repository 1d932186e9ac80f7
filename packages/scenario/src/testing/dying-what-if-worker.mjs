// A worker of what-if whose thread ends at the second variant.
import { parentPort } from 'node:worker_threads';

const on = parentPort.on.bind(parentPort);
parentPort.on = (event, listener) =>
  on(event, (task) => {
    if (task.number === 1) process.exit(3);
    listener(task);
  });
await import('./what-if-worker.mjs');
