// `npm run bench`: speed and memory of the model, measured on this machine. Arguments go to apps/bench.

import { scriptArguments } from './lib/command.mjs';
import { handOver } from './lib/hand-over.mjs';
import { inRoot } from './lib/root.mjs';

process.exitCode = await handOver(inRoot('apps/bench/dist/index.js'), scriptArguments());
