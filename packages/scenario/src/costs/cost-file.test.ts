import { DEFAULT_COSTS } from '@thplab/mm-model';
import { describe, expect, it } from 'vitest';
import { type CostFile, costFileText, parseCostFile } from './cost-file.js';

const FILE: CostFile = {
  machine: 'a machine: "quoted"',
  kernel: '6.18.44',
  note: 'measured',
  costs: { copyPage: 187.8, zeroPage: 67.1 },
  measured: { dense: 338873 },
};

function problemsOf(text: string): string {
  try {
    parseCostFile(text, 'costs.yaml');
  } catch (error) {
    return (error as Error).message;
  }
  return 'none';
}

const HEAD = 'format: thplab/costs@1\nmachine: m\nkernel: k\n';

describe('a cost file', () => {
  it('reads back as it was written', () => {
    expect(parseCostFile(costFileText(FILE))).toEqual(FILE);
    expect(parseCostFile(JSON.stringify({ format: 'thplab/costs@1', ...FILE }))).toEqual(FILE);
  });

  it('gives every cost that the model has, in ns or with a unit', () => {
    const all = Object.keys(DEFAULT_COSTS).map((name) => `  ${name}: 0.65us\n`);
    const { costs } = parseCostFile(`${HEAD}costs:\n${all.join('')}`);
    expect(Object.values(costs)).toEqual(all.map(() => 650));
    expect(Object.keys(costs)).toEqual(Object.keys(DEFAULT_COSTS));
  });

  it.each([
    ['', 'costs.yaml:1:1: the file is empty; expected a cost file, which begins with "format: thplab/costs@1"'],
    ['- 1', 'costs.yaml:1:1: this is no cost file; expected a cost file'],
    ['format: thplab/scenario@1', 'costs.yaml:1:9: format is "thplab/scenario@1"; expected a cost file'],
    [`${HEAD}costs: {copypage: 1}`, 'costs.yaml:4:9: "copypage" is no cost; did you mean copyPage?'],
    [`${HEAD}costs: {}\ncosst: 1`, 'costs.yaml:5:1: "cosst" is no part of a cost file; did you mean costs?'],
    [`${HEAD}costs: {copyPage: -1}`, 'costs.yaml:4:19: costs.copyPage is -1; expected ns as a number from 0 to'],
    [`${HEAD}costs: {copyPage: 3 elephants}`, 'costs.copyPage is "3 elephants"; expected ns'],
    [`${HEAD}costs: {copyPage: 2h}`, 'costs.copyPage is "2h"'],
    [`${HEAD}costs: {copyPage: .inf}`, 'costs.yaml:4:19'],
    [`${HEAD}costs: {copyPage: [1]}`, 'costs.copyPage is [1]'],
    [HEAD, 'costs is missing; expected names with times'],
    ['format: thplab/costs@1\ncosts: {}', 'machine is missing; expected a text'],
    [`${HEAD}costs: {a`, 'costs.yaml:4:'],
  ])('%j is refused at its place', (text, message) => {
    expect(problemsOf(text)).toContain(message);
  });

  it('tells all problems at once', () => {
    const text = problemsOf('format: thplab/costs@1\nmachine: 1\nkernel: ""\ncosts: {x: 1, copyPage: no}');
    expect(text.split('\n')).toHaveLength(4);
  });
});
