/** The controller's worker: glue between comlink and ControlLoop. */
import { parentPort, workerData } from 'node:worker_threads';
import { expose } from 'comlink';
import { attachForControl, type KhugepagedHandle } from './attach.js';
import { ControlLoop } from './control-loop.js';
import { type NodePort, nodeEndpoint } from './node-endpoint.js';
import { createScanPool, type ScanPoolOptions } from './scan-pool.js';

const { handle, pool } = workerData as { readonly handle: KhugepagedHandle; readonly pool: ScanPoolOptions };
const k = attachForControl(handle);
expose(new ControlLoop(k, createScanPool(k, pool)), nodeEndpoint(parentPort as NodePort));
