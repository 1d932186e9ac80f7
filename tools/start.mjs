// `npm start`: from a fresh clone to a result on screen. Installs and builds when needed, then hands over to the command
// line under the pinned Node. Without arguments it runs the quick-start scenario.

import { relative } from 'node:path';
import { scriptArguments } from './lib/command.mjs';
import { callersFolder, handOver } from './lib/hand-over.mjs';
import { inRoot } from './lib/root.mjs';

const cwd = callersFolder('start');
const given = scriptArguments();
const args = given.length > 0 ? given : ['run', relative(cwd, inRoot('examples/quickstart.yaml'))];
process.exitCode = await handOver(inRoot('apps/cli/dist/main.js'), args, { cwd });
