// The common end of `npm start` and `npm run bench`: set up what is missing, then become the program that was asked for.

import { runCommand } from './command.mjs';
import { pinnedNode } from './root.mjs';
import { ensureBuilt, ensureInstalled, SetupError } from './setup.mjs';

/**
 * Installs and builds when needed, then runs a built program under the pinned Node with this process's streams.
 * Resolves with the exit code to leave with. Set-up speaks on stderr only: stdout belongs to the program.
 * @param {string} program absolute path of the built JavaScript file
 * @param {readonly string[]} args
 * @param {{ cwd?: string }} [options]
 * @returns {Promise<number>}
 */
export async function handOver(program, args, options) {
  /** @param {string} line */
  const say = (line) => process.stderr.write(`thplab: ${line} …\n`);
  try {
    await ensureInstalled(say);
    await ensureBuilt(say);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return error.code;
  }
  const { code, output } = await runCommand(pinnedNode, [program, ...args], options);
  process.stderr.write(output);
  return code;
}

/**
 * The folder the user stands in. npm runs a script in the package's root and keeps the user's own folder in INIT_CWD;
 * the variable counts only when npm or pnpm started this very script, as children inherit it.
 * @param {string} script name of the script in package.json
 * @returns {string}
 */
export function callersFolder(script) {
  const { npm_lifecycle_event: event, INIT_CWD: folder } = process.env;
  return event === script && folder ? folder : process.cwd();
}
