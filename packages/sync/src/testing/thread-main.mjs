// A worker of the threads executor that reads the sources: what a published package would have as a built file.
import { parentPort } from 'node:worker_threads';
import './source-hooks.mjs';

const { serveThread } = await import('../threads/serve-thread.ts');
serveThread(parentPort);
