/** The pools' worker with a death in it, for bundling. */
import { arrangeDeath } from './death.js';

arrangeDeath();

export { ahead, scan } from '../pool/worker.js';
