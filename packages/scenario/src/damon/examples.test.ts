import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'vitest';
import { parseScenario } from '../format/index.js';
import { expectToHold } from '../testing/examples.js';

const folder = fileURLToPath(new URL('../../../../examples/damon/', import.meta.url));

describe('examples of DAMON and its schemes', () => {
  it.each(['grow', 'shrink', 'hot-heap', 'khugepaged-and-schemes', 'only-one-cgroup'])(
    '%s gives what it expects, twice the same',
    (name) => {
      expectToHold(parseScenario(readFileSync(`${folder}${name}.yaml`, 'utf8'), { path: `${name}.yaml` }));
    },
  );
});
