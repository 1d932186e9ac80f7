// `pnpm stress`: processes on threads beside two scanners, random workloads, and what must hold of each machine afterwards.
// It runs from the sources: nothing needs to be built.

import { runCommand, scriptArguments } from './lib/command.mjs';
import { inRoot, pinnedNode } from './lib/root.mjs';

const program = inRoot('tools/lib/stress-main.mjs');
const { code, output } = await runCommand(pinnedNode, ['--no-warnings', program, ...scriptArguments()]);
process.stderr.write(output);
process.exitCode = code;
