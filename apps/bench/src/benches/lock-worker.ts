/** Worker of the contended lock bench. */
import { parentPort } from 'node:worker_threads';
import { type ServedPort, serveThread } from '@thplab/sync';

serveThread(parentPort as ServedPort);
