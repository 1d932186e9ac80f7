import { defineConfig } from 'tsup';

export default defineConfig({
  // The worker and what it runs are loaded by their URLs.
  entry: {
    index: 'src/index.ts',
    'lock-worker': 'src/benches/lock-worker.ts',
    'lock-program': 'src/benches/lock-program.ts',
  },
  format: ['esm'],
  target: 'node22',
  sourcemap: true,
  // The types that tsc -b writes lie in the same folder: cleaning is `pnpm clean`, not a build step.
  clean: false,
  splitting: false,
});
