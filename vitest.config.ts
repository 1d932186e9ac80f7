import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const packages = fileURLToPath(new URL('./packages/', import.meta.url));

export default defineConfig({
  resolve: {
    // Tests of one package read the sources of the others, so that no test can pass on a stale build.
    alias: [
      {
        find: /^@thplab\/khugepaged-scheduler\/pool$/,
        replacement: `${packages}khugepaged-scheduler/src/pool/index.ts`,
      },
      { find: /^@thplab\/scenario\/threads$/, replacement: `${packages}scenario/src/threads/index.ts` },
      { find: /^@thplab\/([a-z-]+)$/, replacement: `${packages}$1/src/index.ts` },
    ],
  },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'tools/**/*.test.ts'],
    setupFiles: ['tools/vitest-setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // One fewer than there are processors is the default: of two, half.
    maxWorkers: '100%',
  },
});
