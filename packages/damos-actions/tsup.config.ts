import { defineConfig } from 'tsup';

export default defineConfig({
  // The worker is an entry of its own: it is loaded by its URL.
  entry: { index: 'src/index.ts', 'pool/index': 'src/pool/index.ts', 'pool/worker': 'src/pool/worker.ts' },
  format: ['esm'],
  target: 'node22',
  sourcemap: true,
  // The types that tsc -b writes lie in the same folder: cleaning is `pnpm clean`, not a build step.
  clean: false,
  splitting: false,
});
