import { isModelled } from '@thplab/scenario';
import { KERNEL_PROFILES } from '@thplab/sysfs-schema';
import { expect, it } from 'vitest';
import { WITHOUT_COLLAPSE } from './options.js';
import { runCli } from './testing/run-cli.js';

it('the verbs that run something offer the kernels that can run', async () => {
  expect(KERNEL_PROFILES.filter((kernel) => !isModelled(kernel))).toEqual(WITHOUT_COLLAPSE);
  expect((await runCli(['run', '--help'])).stdout).not.toContain('damon-rfc');
  expect((await runCli(['sysfs', 'tree', '--help'])).stdout).toContain('damon-rfc');
});
