// Makes a clone ready to run: dependencies as the lockfile says, then dist/ of every package. Both steps are skipped when a
// stamp proves them done, so that a second start costs a few file-status calls and nothing else.
// This file runs on the machine's own Node before anything is installed: node: imports only.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { commandLine, runCommand } from './command.mjs';
import { inRoot, pinnedNode } from './root.mjs';

const INSTALL_STAMP = inRoot('node_modules/.thplab-install');
const BUILD_STAMP = inRoot('.cache/build-stamp');

/** A set-up step that failed: which command, what it printed, what to try. `code` is the exit code to leave with. */
export class SetupError extends Error {
  /**
   * @param {string} message
   * @param {number} code
   */
  constructor(message, code) {
    super(message);
    this.name = 'SetupError';
    this.code = code;
  }
}

/**
 * Installs the locked dependencies unless node_modules already holds them.
 * @param {(line: string) => void} say receives one short line when there is something to do
 * @returns {Promise<void>}
 * @throws {SetupError}
 */
export async function ensureInstalled(say) {
  const wanted = installKey();
  if (existsSync(pinnedNode) && readIfThere(INSTALL_STAMP) === wanted) return;
  say(
    existsSync(inRoot('node_modules'))
      ? 'the lockfile has changed: installing the dependencies'
      : 'first run: installing the dependencies (half a minute, needs the network)',
  );
  // CI: pnpm replaces a node_modules of another shape without asking, as nobody could answer.
  await setupStep(pnpmCommand('install', '--frozen-lockfile'), { CI: 'true' }, [
    'check that the npm registry can be reached (`npm ping`), then run the same command again',
    'if it says that the lockfile is out of date: `npx pnpm@12 install` and commit pnpm-lock.yaml',
  ]);
  if (!existsSync(pinnedNode)) {
    throw new SetupError(
      `the install left no Node at ${pinnedNode}\n  try: \`rm -rf node_modules\`, then run the same command again`,
      1,
    );
  }
  writeFileSync(INSTALL_STAMP, wanted);
}

/**
 * Builds every package through turbo when a source is newer than the last build.
 * @param {(line: string) => void} say receives one short line when there is something to do
 * @param {{ always?: boolean }} [options] always: ask turbo, whatever the stamp says; turbo compares contents
 * @returns {Promise<void>}
 * @throws {SetupError}
 */
export async function ensureBuilt(say, { always = false } = {}) {
  const reason = buildIsStale();
  if (reason === undefined && !always) return;
  if (reason !== undefined) say(`${reason}: building`);
  rmSync(BUILD_STAMP, { force: true });
  const begin = new Date();
  await setupStep(pnpmCommand('exec', 'turbo', 'run', 'build', '--output-logs=errors-only'), QUIET_TURBO, [
    'mend the error above; `npm test` shows type errors one by one',
    'if the error makes no sense: `rm -rf .turbo .cache packages/*/dist apps/*/dist`, then run the same command again',
  ]);
  mkdirSync(dirname(BUILD_STAMP), { recursive: true });
  writeFileSync(BUILD_STAMP, '');
  // The time at which the build began: a source saved while it ran counts as newer.
  utimesSync(BUILD_STAMP, begin, begin);
}

/**
 * Why dist/ is behind the sources, or undefined when it is not.
 * @returns {string | undefined}
 */
export function buildIsStale() {
  return staleReason(buildUnits(), BUILD_STAMP);
}

const QUIET_TURBO = { TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' };

/**
 * pnpm in the version of package.json's `packageManager`, through npx: nothing global is needed.
 * @param {...string} args
 * @returns {[string, string[]]}
 */
export function pnpmCommand(...args) {
  const { packageManager } = JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));
  return ['npx', ['--yes', packageManager, ...args]];
}

/**
 * Why a build is needed, or undefined when every input is older than the stamp and every dist/ is there.
 * Directories count too, so that a deleted or renamed file is seen. Tests are no input of the build.
 * @param {readonly BuildUnit[]} units
 * @param {string} stamp
 * @returns {string | undefined}
 *
 * @typedef {{ inputs: readonly string[], dist?: string }} BuildUnit
 */
export function staleReason(units, stamp) {
  const built = statSync(stamp, { throwIfNoEntry: false })?.mtimeMs;
  if (built === undefined || units.some(({ dist }) => dist !== undefined && !existsSync(dist))) return 'not built yet';
  const changed = units.some(({ inputs }) => inputs.some((input) => isNewer(input, built)));
  return changed ? 'sources have changed' : undefined;
}

/** @returns {BuildUnit[]} */
function buildUnits() {
  const shared = ['pnpm-lock.yaml', 'tsconfig.base.json', 'turbo.json'].map((file) => inRoot(file));
  const packages = ['packages', 'apps'].flatMap((folder) =>
    readdirSync(inRoot(folder)).map((name) => inRoot(folder, name)),
  );
  return [
    { inputs: shared },
    ...packages
      .filter((folder) => existsSync(join(folder, 'package.json')))
      .map((folder) => ({
        inputs: ['src', 'package.json', 'tsconfig.json', 'tsup.config.ts'].map((name) => join(folder, name)),
        dist: join(folder, 'dist/index.js'),
      })),
  ];
}

/**
 * @param {string} path
 * @param {number} time in ms
 * @returns {boolean}
 */
function isNewer(path, time) {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) return false;
  if (status.mtimeMs > time) return true;
  if (!status.isDirectory()) return false;
  return readdirSync(path).some((name) => !isTestOnly(name) && isNewer(join(path, name), time));
}

/**
 * Tests and their helpers: no input of the build.
 * @param {string} name of a file or folder
 */
function isTestOnly(name) {
  return name.endsWith('.test.ts') || name === 'testing';
}

/** What an install depends on: the lockfile, and the machine whose binaries it fetched. */
function installKey() {
  const lock = createHash('sha256')
    .update(readFileSync(inRoot('pnpm-lock.yaml')))
    .digest('hex');
  return `${lock} ${process.platform}-${process.arch}\n`;
}

/** @param {string} path */
function readIfThere(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/**
 * @param {[string, string[]]} command
 * @param {NodeJS.ProcessEnv} env
 * @param {readonly string[]} hints what to try when it fails
 */
async function setupStep([program, args], env, hints) {
  // The repository's .npmrc silences npm's banners; here npx's own errors must be seen.
  const { code, output } = await runCommand(program, args, {
    capture: true,
    tools: 'machine',
    env: { npm_config_loglevel: 'error', ...env },
  });
  if (code === 0) return;
  const lines = [
    output.trimEnd(),
    `failed (exit code ${code}): ${commandLine(program, args)}`,
    ...hints.map((hint) => `  try: ${hint}`),
  ];
  throw new SetupError(lines.join('\n'), code > 128 ? code : 1);
}
