import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['src/index.ts'],
  format: ['esm'],
  target: 'node22',
  sourcemap: true,
  // The types that tsc -b writes lie in the same folder: cleaning is `pnpm clean`, not a build step.
  clean: false,
  splitting: false,
  // An optional dependency is bundled otherwise, and koffi finds its native part only from its own folder.
  external: ['koffi'],
});
