import { describe, expect, it } from 'vitest';
import { scenarioLocator } from './locate.js';

const text = `format: thplab/scenario@1
name: places
machine: { kernel: v6.18 }
sysfs:
  khugepaged/defrag: 0
processes:
  - name: app
    vmas:
      - name: heap
        size: 2M
`;

describe('scenarioLocator', () => {
  const locate = scenarioLocator(text, 'places.yaml');

  it('finds keys, list entries and quoted keys', () => {
    expect(locate('machine.kernel')).toEqual({ path: 'places.yaml', line: 3, column: 20 });
    expect(locate('processes[0].vmas[0].size')).toEqual({ path: 'places.yaml', line: 10, column: 15 });
    expect(locate('sysfs["khugepaged/defrag"]')).toEqual({ path: 'places.yaml', line: 5, column: 22 });
  });

  it('gives the nearest enclosing thing for what is not there', () => {
    expect(locate('processes[0].vmas[0].populate').line).toBe(9);
    expect(locate('--set').line).toBe(1);
  });

  it('gives the first line of a text that is no YAML', () => {
    expect(scenarioLocator('{', 'x')('machine')).toEqual({ path: 'x', line: 1, column: 1 });
  });
});
