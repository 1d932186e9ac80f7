// The repository as the rules see it: its files, and its packages with manifest and parsed sources.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { inRoot, root } from '../lib/root.mjs';
import { parseSource, type Source } from './source.js';

/** What the rules read of a package.json. */
export interface Manifest {
  readonly name: string;
  readonly version?: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** One folder of packages/ or apps/, or of tools/ where it has a package.json. */
export interface Package {
  /** Last part of the path: the name in the law. */
  readonly folder: string;
  /** From the root, such as `packages/arena`. */
  readonly path: string;
  readonly manifest: Manifest;
  /** Text of the manifest, for line numbers. */
  readonly manifestText: string;
  /** Folders that its tsconfig.json references, such as `arena`. */
  readonly references: readonly string[];
  readonly sources: readonly Source[];
}

const CODE = /\.(ts|tsx|mts|cts|js|mjs|cjs)$/;

/**
 * The files of the repository as paths from the root: those that git tracks, or also those it would track after `git add`.
 * Without git, all but the ignored folders.
 */
export function repositoryFiles(which: 'tracked' | 'with new ones'): string[] {
  const others = which === 'tracked' ? [] : ['--others', '--exclude-standard'];
  try {
    const list = execFileSync('git', ['ls-files', '-z', '--cached', ...others], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 1 << 26,
    });
    return list.split('\0').filter((path) => path !== '' && existsSync(inRoot(path)));
  } catch {
    const skipped = /(^|\/)(\.git|node_modules|dist|\.turbo|\.cache|coverage)(\/|$)/;
    const all = readdirSync(root, { recursive: true, withFileTypes: true });
    return all
      .filter((entry) => entry.isFile())
      .map((entry) => `${entry.parentPath}/${entry.name}`.slice(root.length).replaceAll('\\', '/').replace(/^\//, ''))
      .filter((path) => !skipped.test(path));
  }
}

/** The code among the files, parsed. */
export function parseAll(files: readonly string[]): Source[] {
  return files.filter((path) => CODE.test(path)).map((path) => parseSource(path, readFileSync(inRoot(path), 'utf8')));
}

/** Every workspace package, with those of the sources that are its own. */
export function workspacePackages(sources: readonly Source[]): Package[] {
  return ['packages', 'apps', 'tools'].flatMap((parent) =>
    readdirSync(inRoot(parent))
      .filter((folder) => existsSync(inRoot(parent, folder, 'package.json')))
      .map((folder) => {
        const path = `${parent}/${folder}`;
        const manifestText = readFileSync(inRoot(path, 'package.json'), 'utf8');
        const tsconfig: { references?: { path: string }[] } = JSON.parse(
          readFileSync(inRoot(path, 'tsconfig.json'), 'utf8'),
        );
        return {
          folder,
          path,
          manifest: JSON.parse(manifestText),
          manifestText,
          references: (tsconfig.references ?? []).map((reference) => reference.path.replace(/^.*\//, '')),
          sources: sources.filter((source) => source.path.startsWith(`${path}/`)),
        };
      }),
  );
}

/** The root's own package.json: its dependencies serve every test. */
export function rootManifest(): Manifest {
  return JSON.parse(readFileSync(inRoot('package.json'), 'utf8'));
}
