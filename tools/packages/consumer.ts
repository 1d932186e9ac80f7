// An empty project in a temporary folder that has every package installed from its tarball, as a user would have it.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CommandResult, commandLine, runCommand } from '../lib/command.mjs';
import { inRoot } from '../lib/root.mjs';
import { buildIsStale, pnpmCommand } from '../lib/setup.mjs';
import type { Package } from '../structure/workspace.js';

/** The project and where its parts are. */
export interface Consumer {
  readonly folder: string;
  /** Tarball of a package, by the package's name. */
  tarball(name: string): string;
  /** A text file of an installed package. */
  installedFile(name: string, file: string): string;
  /** Writes a program into the project. */
  write(name: string, text: string): string;
  /** Deletes the whole folder. */
  remove(): void;
}

/**
 * Packs the packages and installs all tarballs at once, so that each finds its workspace dependencies among them.
 *
 * @throws Error when dist/ is behind the sources, or a command fails
 */
export async function installTarballs(packages: readonly Package[]): Promise<Consumer> {
  const stale = buildIsStale();
  if (stale !== undefined) throw new Error(`dist/ is behind the sources (${stale}): run \`npm test\` or build first`);
  const base = mkdtempSync(join(tmpdir(), 'thplab-packages-'));
  const folder = join(base, 'project');
  const tarball = (name: string): string => {
    const version = packages.find(({ manifest }) => manifest.name === name)?.manifest.version;
    return join(base, `${name.replace('@', '').replace('/', '-')}-${version}.tgz`);
  };
  const consumer: Consumer = {
    folder,
    tarball,
    installedFile: (name, file) => readFileSync(join(folder, 'node_modules', name, file), 'utf8'),
    write: (name, text) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    },
    remove: () => rmSync(base, { recursive: true, force: true }),
  };
  try {
    const filters = packages.map(({ path }) => `--filter=./${path}`);
    const [pnpm, pack] = pnpmCommand('--recursive', ...filters, 'pack', `--pack-destination=${base}`);
    await mustRun(pnpm, pack, inRoot());
    mkdirSync(folder);
    consumer.write('package.json', '{ "name": "consumer", "private": true }\n');
    const tarballs = packages.map(({ manifest }) => tarball(manifest.name));
    await mustRun('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...tarballs], folder);
    return consumer;
  } catch (error) {
    consumer.remove();
    throw error;
  }
}

/** Runs a program of the workspace to its end, its output kept. */
export function run(program: string, args: readonly string[], cwd: string, path?: string): Promise<CommandResult> {
  const env = { NO_COLOR: '1', npm_config_loglevel: 'error', ...(path === undefined ? {} : { PATH: path }) };
  return runCommand(program, args, { capture: true, cwd, env });
}

async function mustRun(program: string, args: readonly string[], cwd: string): Promise<void> {
  // The repository's .npmrc silences npm's banners; here its errors must be seen.
  const env = { npm_config_loglevel: 'error' };
  const { code, output } = await runCommand(program, args, { capture: true, cwd, env, tools: 'machine' });
  if (code !== 0) throw new Error(`${commandLine(program, args)} failed (exit code ${code}):\n${output}`);
}
