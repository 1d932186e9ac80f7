/** A worker's module and all that it imports as one file: a thread starts in a twentieth of the time that sources take. */
import { mkdtempSync, rmSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'tsup';

const packages = fileURLToPath(new URL('../../../', import.meta.url));

/** A bundle in a folder of its own. */
export interface BundledWorker {
  readonly url: URL;
  remove(): void;
}

/** Bundles a module of this folder; every entry of the list becomes a file of its name. */
export async function bundleWorkers(entry: Readonly<Record<string, string>>): Promise<{
  readonly urlOf: (name: string) => URL;
  remove(): void;
}> {
  // Below the package, so that its dependencies are found.
  const folder = mkdtempSync(fileURLToPath(new URL('../../node_modules/.bundle-', import.meta.url)));
  await build({
    config: false,
    entry: { ...entry },
    outDir: folder,
    format: ['esm'],
    target: 'node22',
    outExtension: () => ({ js: '.mjs' }),
    noExternal: [/^@thplab\//],
    external: ['piscina', 'comlink'],
    splitting: false,
    silent: true,
    dts: false,
    esbuildOptions(options) {
      options.alias = Object.fromEntries(
        ['arena', 'sync', 'trace', 'sysfs-schema', 'mm-model', 'mthp-collapse'].map((name) => [
          `@thplab/${name}`,
          `${packages}${name}/src/index.ts`,
        ]),
      );
    },
  });
  return {
    urlOf: (name) => pathToFileURL(`${folder}/${name}.mjs`),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
