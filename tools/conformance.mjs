// `npm run conformance`: the model held against the running kernel. Runs from the sources: nothing is built for it.

import { runCommand, scriptArguments } from './lib/command.mjs';
import { inRoot, pinnedNode } from './lib/root.mjs';
import { ensureInstalled, SetupError } from './lib/setup.mjs';

/** @param {string} line */
const say = (line) => process.stderr.write(`thplab: ${line} …\n`);
try {
  await ensureInstalled(say);
  const args = ['--disable-warning=ExperimentalWarning', '--import', inRoot('tools/conformance/from-source.mjs')];
  const program = [...args, inRoot('tools/conformance/src/main.ts'), ...scriptArguments()];
  const { code, output } = await runCommand(pinnedNode, program);
  process.stderr.write(output);
  process.exitCode = code;
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.code;
}
