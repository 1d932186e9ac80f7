// Rules on imports: downwards only, declared in the manifest, no circle. Each returns its objections as `file:line: what`.

import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import { floorsBelow } from './law.js';
import { type Import, isTest, type Source } from './source.js';
import type { Manifest, Package } from './workspace.js';

/** The npm package that a specifier names; undefined for a relative import or a part of Node. */
export function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith('.') || isNodeModule(specifier)) return undefined;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** `node:fs`, and the old form `fs`. */
export function isNodeModule(specifier: string): boolean {
  return specifier.startsWith('node:') || builtinModules.includes(specifier);
}

/** A workspace import that does not point to a lower floor, or a relative one that leaves its package or what it ships. */
export function upwardImports(packages: readonly Package[]): string[] {
  const folders = new Map(packages.map(({ manifest, folder }) => [manifest.name, folder]));
  return packages.flatMap((own) => {
    const below = floorsBelow(own.folder);
    return eachImport(own.sources, (source, { what, line }) => {
      if (what.startsWith('.') && !resolve(source, what).startsWith(`${own.path}/`)) {
        return `${source.path}:${line}: ${what} leaves ${own.path}: import the other package by its name`;
      }
      if (what.startsWith('.') && ships(source) && !ships({ path: resolve(source, what) })) {
        return `${source.path}:${line}: ${what} is for tests only and does not ship`;
      }
      const target = folders.get(packageOf(what) ?? '');
      if (target === undefined || below.has(target)) return undefined;
      return `${source.path}:${line}: ${own.folder} must not import ${target}: it stands on ${[...below].join(', ') || 'nothing'}`;
    });
  });
}

/** Imports without a dependency, dependencies without an import, and tsconfig references that differ from both. */
export function undeclaredOrUnused(packages: readonly Package[], root: Manifest): string[] {
  return packages.flatMap((own) => [
    ...missingDependencies(own, root),
    ...unusedDependencies(own),
    ...wrongReferences(own, packages),
  ]);
}

function missingDependencies(own: Package, root: Manifest): string[] {
  const { dependencies, peerDependencies, optionalDependencies, devDependencies } = own.manifest;
  const shipped = { ...dependencies, ...peerDependencies, ...optionalDependencies };
  const forTests = { ...shipped, ...devDependencies, ...root.devDependencies };
  return eachImport(own.sources, (source, { what, line }) => {
    const name = packageOf(what);
    const declared = ships(source) ? shipped : forTests;
    if (name === undefined || name in declared) return undefined;
    return `${source.path}:${line}: ${name} is imported but is no dependency in ${own.path}/package.json`;
  });
}

function unusedDependencies(own: Package): string[] {
  const used = (sources: readonly Source[]): Set<string | undefined> =>
    new Set(sources.flatMap(({ imports }) => imports.map(({ what }) => packageOf(what))));
  const inShipped = used(own.sources.filter(ships));
  const anywhere = used(own.sources);
  const { dependencies = {}, devDependencies = {} } = own.manifest;
  const place = (name: string): string => `${own.path}/package.json:${lineOf(own.manifestText, name)}`;
  return [
    ...Object.keys(dependencies)
      .filter((name) => !inShipped.has(name))
      .map((name) => `${place(name)}: ${name} is a dependency, but no shipped source imports it`),
    ...Object.keys(devDependencies)
      .filter((name) => !anywhere.has(name) && !name.startsWith('@types/'))
      .map((name) => `${place(name)}: ${name} is a dev dependency, but nothing imports it`),
  ];
}

function wrongReferences(own: Package, packages: readonly Package[]): string[] {
  const declared = { ...own.manifest.dependencies, ...own.manifest.devDependencies };
  const wanted = packages.filter(({ manifest }) => manifest.name in declared).map(({ folder }) => folder);
  const where = `${own.path}/tsconfig.json:1`;
  return [
    ...wanted
      .filter((folder) => !own.references.includes(folder))
      .map((folder) => `${where}: references lack ../${folder}, a dependency in package.json`),
    ...own.references
      .filter((folder) => !wanted.includes(folder))
      .map((folder) => `${where}: references name ${folder}, which is no dependency in package.json`),
  ];
}

/** Files of one package that import each other in a circle. Type-only imports do not count: they are gone at run time. */
export function importCircles(sources: readonly Source[]): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const done = new Set<string>();
  const circles: string[] = [];

  const walk = (source: Source, trail: readonly { path: string; line: number }[]): void => {
    const start = trail.findIndex(({ path }) => path === source.path);
    if (start >= 0) {
      const steps = trail.slice(start).map(({ path, line }) => `${path}:${line}`);
      circles.push(`${steps[0]}: circle of imports: ${[...steps, source.path].join(' -> ')}`);
      return;
    }
    if (done.has(source.path)) return;
    for (const { what, line, typeOnly } of source.imports) {
      const next = what.startsWith('.') && !typeOnly ? byPath.get(resolve(source, what)) : undefined;
      if (next) walk(next, [...trail, { path: source.path, line }]);
    }
    done.add(source.path);
  };
  for (const source of sources) walk(source, []);
  return circles;
}

/** Objections of a check to the imports of some files, in order. */
export function eachImport(
  sources: readonly Source[],
  check: (source: Source, found: Import) => string | undefined,
): string[] {
  return sources.flatMap((source) => source.imports.flatMap((found) => check(source, found) ?? []));
}

/** Whether a file is part of what npm users get: under src/, and neither a test nor a help for tests. */
export function ships({ path }: { readonly path: string }): boolean {
  return /^(packages|apps|tools)\/[^/]+\/src\/(?!testing\/)/.test(path) && !isTest(path);
}

/** The file a relative import means: `./a.js` is written for `a.ts`. */
function resolve(source: Source, specifier: string): string {
  return posix.join(posix.dirname(source.path), specifier).replace(/\.([mc]?)js$/, '.$1ts');
}

function lineOf(text: string, name: string): number {
  return text.split('\n').findIndex((line) => line.includes(`"${name}":`)) + 1;
}
