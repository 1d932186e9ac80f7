import { defineConfig } from 'tsup';

export default defineConfig({
  // The worker is an entry of its own: it is loaded by its URL.
  entry: {
    index: 'src/index.ts',
    'threads/index': 'src/threads/index.ts',
    'threads/what-if-worker': 'src/threads/what-if-worker.ts',
  },
  format: ['esm'],
  target: 'node22',
  sourcemap: true,
  // Chunks carry hashes: old ones go. The types that tsc -b writes lie in the same folder and stay.
  clean: ['!**/*.d.ts', '!**/*.d.ts.map', '!**/*.tsbuildinfo'],
  // The entries share their code, so that an error of one is of the same class as the other's.
  splitting: true,
});
