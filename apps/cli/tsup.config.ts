import { defineConfig } from 'tsup';

export default defineConfig({
  entry: ['src/index.ts', 'src/main.ts'],
  format: ['esm'],
  target: 'node22',
  sourcemap: true,
  // Chunks carry hashes: old ones go. The types that tsc -b writes lie in the same folder and stay.
  clean: ['!**/*.d.ts', '!**/*.d.ts.map', '!**/*.tsbuildinfo'],
  // A chunk per verb: help and completion load none of the simulator.
  splitting: true,
});
