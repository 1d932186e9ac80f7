// Child processes: one way to start them, with signals passed on and the exit code kept.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter } from 'node:path';
import { inRoot, root } from './root.mjs';

/**
 * @typedef {object} CommandOptions
 * @property {boolean} [capture] keep the output (both streams, in order of arrival) instead of showing it
 * @property {string} [cwd] working directory, the repository's root unless told
 * @property {NodeJS.ProcessEnv} [env] variables on top of the present ones
 * @property {'workspace' | 'machine'} [tools] whose programs come first on the PATH: the workspace's, with the pinned Node
 *   (default), or the machine's, as npm and npx must run under their own Node to find their configuration
 *
 * @typedef {object} CommandResult
 * @property {number} code exit code; 128 + n after signal n; 127 when the program could not be started
 * @property {string} output what it printed on both streams, when captured; the reason when it could not be started
 * @property {string} stdout what it printed on standard output alone, when captured
 * @property {number} seconds wall time
 */

/** Signals that end this process from outside; the child gets them too and decides. */
const FORWARDED = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/** Where the workspace's programs are, the pinned Node among them. */
const WORKSPACE_TOOLS = inRoot('node_modules/.bin');

/**
 * Runs a program to its end.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {CommandOptions} [options]
 * @returns {Promise<CommandResult>}
 */
export function runCommand(program, args, options = {}) {
  const { capture = false, cwd = root, env = {}, tools = 'workspace' } = options;
  const begin = process.hrtime.bigint();
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, PATH: searchPath(tools), ...env },
    stdio: capture ? ['ignore', 'pipe', 'pipe'] : 'inherit',
  });
  const forwarders = FORWARDED.map((signal) => ({ signal, pass: () => passOn(child, signal) }));
  for (const { signal, pass } of forwarders) process.on(signal, pass);

  let output = '';
  let stdout = '';
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    stdout += text;
    output += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  return new Promise((resolve) => {
    /** @param {number} code */
    const finish = (code) => {
      for (const { signal, pass } of forwarders) process.off(signal, pass);
      resolve({ code, output, stdout, seconds: Number(process.hrtime.bigint() - begin) / 1e9 });
    };
    child.on('error', (error) => {
      output += `${error.message}\n`;
      finish(127);
    });
    child.on('close', (code, signal) => finish(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}

/**
 * The PATH. npm puts the workspace's programs first for its scripts, so that the machine's own must be asked for.
 * @param {'workspace' | 'machine'} tools
 * @returns {string}
 */
function searchPath(tools) {
  const machine = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== WORKSPACE_TOOLS);
  return (tools === 'workspace' ? [WORKSPACE_TOOLS, ...machine] : machine).join(delimiter);
}

/**
 * A terminal sends SIGINT to the whole foreground group, the child included: passing it on as well would interrupt twice.
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals} signal
 */
function passOn(child, signal) {
  const fromTerminal = signal === 'SIGINT' && (process.stdin.isTTY || process.stderr.isTTY);
  if (!fromTerminal) child.kill(signal);
}

/**
 * A command line as a reader would type it.
 * @param {string} program
 * @param {readonly string[]} args
 * @returns {string}
 */
export function commandLine(program, args) {
  return [program, ...args].map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word))).join(' ');
}

/**
 * The arguments of a script under tools/. pnpm, unlike npm, hands over the `--` of `pnpm start -- run FILE`.
 * @returns {string[]}
 */
export function scriptArguments() {
  const given = process.argv.slice(2);
  return given[0] === '--' ? given.slice(1) : given;
}
