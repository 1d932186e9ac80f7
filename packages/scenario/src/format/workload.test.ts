import { SKYLAKE } from '@thplab/mm-model';
import { describe, expect, it } from 'vitest';
import { parseScenario, validateScenario } from './index.js';

const HEAD = `format: thplab/scenario@1
name: workloads
processes:
  - name: app
    vmas: [{ name: heap, size: 8M }, { name: other, size: 4M }]
`;

function parsed(rest: string): ReturnType<typeof parseScenario> {
  return parseScenario(HEAD + rest, { path: 'file.yaml' });
}

function problems(rest: string): string {
  const found = validateScenario(HEAD + rest, { path: 'file.yaml' });
  return found.ok ? '' : found.error.message;
}

describe('workload', () => {
  it('has its defaults filled in, and brings a TLB', () => {
    const { workload, machine } = parsed('workload: { process: app, vma: heap, pattern: uniform, rate: 1M }\n');
    expect(machine.tlb).toEqual(SKYLAKE);
    expect(workload).toEqual([
      {
        key: 'workload[0]',
        name: 'workload-0',
        form: 'auto',
        seed: null,
        parts: [
          {
            key: 'workload[0]',
            span: { process: 'app', vma: 'heap', start: 0, length: 8 * 2 ** 20 },
            source: { kind: 'uniform' },
            perSecond: 1e6,
            write: 1,
            active: { start: 0, length: null, every: null },
          },
        ],
      },
    ]);
  });

  it('without one models no TLB', () => {
    expect(parsed('').machine.tlb).toBeNull();
  });

  it('has steps of bytes: one access for each, or for each cache line', () => {
    const { workload } = parsed(`workload:
  - { process: app, vma: heap, pattern: sequential, bandwidth: 1M }
  - { process: app, vma: heap, pattern: sequential, step: 256, bandwidth: 1M }
  - { process: app, vma: heap, pattern: stride, every: 64K, bandwidth: 1M }
  - { process: app, vma: heap, pattern: onePerBlock, page: 3, rate: 10 }
  - { process: app, vma: heap, pattern: zipf, rate: 10 }
`);
    expect(workload.flatMap(({ parts }) => parts).map(({ source, perSecond }) => ({ ...source, perSecond }))).toEqual([
      { kind: 'sweep', first: 0, step: 4096, perSecond: 256 },
      { kind: 'sweep', first: 0, step: 256, perSecond: 4096 },
      { kind: 'sweep', first: 0, step: 65_536, perSecond: 16_384 },
      { kind: 'sweep', first: 3 * 4096, step: 2 ** 21, perSecond: 10 },
      { kind: 'zipf', exponent: 0.99, scattered: true, perSecond: 10 },
    ]);
  });

  it('has phases that follow each other, take over what they do not say, and may begin again', () => {
    const { workload } = parsed(`workload:
  process: app
  vma: heap
  rate: 100
  write: 25%
  start: 1s
  phases:
    - { for: 2s, pattern: uniform, size: 2M, offset: 4M, vma: heap }
    - { for: 3s, idle: true }
    - { for: 4s, pattern: sequential, rate: 7 }
  repeat: true
`);
    const [first, second] = workload[0].parts;
    expect(workload[0].parts).toHaveLength(2);
    expect(first.active).toEqual({ start: 1e9, length: 2e9, every: 9e9 });
    expect(first.span).toMatchObject({ start: 4 * 2 ** 20, length: 2 * 2 ** 20 });
    expect(second.active).toEqual({ start: 6e9, length: 4e9, every: 9e9 });
    expect(second).toMatchObject({ perSecond: 7, write: 0.25, span: { vma: 'heap', length: 8 * 2 ** 20 } });
  });

  it('finds files beside the scenario', () => {
    const scenario = parseScenario(`${HEAD}workload: { process: app, masim: zigzag.cfg, rate: 1k }\n`, {
      path: 'folder/file.yaml',
    });
    expect(scenario.workload[0].parts[0].source).toEqual({ kind: 'masim', file: 'folder/zigzag.cfg' });
  });

  it.each([
    [
      '{ process: app, vma: heap, rate: 1 }',
      'file.yaml:7:5: this does not say what is accessed; expected pattern, masim',
    ],
    ['{ process: app, vma: heap, pattern: uniform }', 'this does not say how often; expected rate'],
    ['{ process: app, vma: heap, pattern: uniform, rate: 1, bandwidth: 1M }', 'rate and bandwidth; keep one of them'],
    ['{ process: app, vma: heap, pattern: unifrom, rate: 1 }', 'workload[0].pattern is "unifrom"'],
    ['{ process: app, vma: heap, pattern: uniform, masim: a, rate: 1 }', 'pattern and masim in one entry'],
    ['{ process: app, vma: heap, pattern: uniform, exponent: 1, rate: 1 }', 'exponent belongs to the pattern zipf'],
    ['{ process: app, vma: heap, pattern: stride, rate: 1 }', 'stride without every; expected every: 64K'],
    [
      '{ process: app, vma: heap, pattern: onePerBlock, page: 512, rate: 1 }',
      'there is no page 512; they are 0 to 511',
    ],
    ['{ process: app, pattern: uniform, rate: 1 }', 'this does not say where; expected vma (heap, other)'],
    ['{ process: ap, vma: heap, pattern: uniform, rate: 1 }', 'there is no process "ap"; did you mean "app"?'],
    ['{ process: app, vma: hep, pattern: uniform, rate: 1 }', 'there is no VMA "hep" in this process'],
    ['{ process: app, vma: heap, pattern: uniform, rate: 1, repeat: true }', 'repeat without phases'],
    ['{ process: app, vma: heap, rate: 1, for: 1s, phases: [{ for: 1s, pattern: uniform }] }', 'for beside phases'],
    ['{ process: app, vma: heap, rate: 1, pattern: zipf, phases: [{ for: 1s, idle: true }] }', 'pattern beside phases'],
    [
      '{ process: app, vma: heap, rate: 1, phases: [{ for: 1s, idle: true, pattern: zipf }] }',
      'pattern in an idle phase',
    ],
    [
      '{ process: app, vma: heap, rate: 1, phases: [{ for: 1s, masim: a.cfg }] }',
      'masim in a phase; it has its own phases',
    ],
    ['{ process: app, vma: heap, pattern: uniform, rate: -1 }', 'workload[0].rate is -1'],
  ])('that is wrong is refused: %s', (entry, message) => {
    expect(problems(`workload:\n  - ${entry}\n`)).toContain(message);
  });
});

describe('machine.tlb', () => {
  it('may be a preset, none, or one of your own on top of a preset', () => {
    const tlb = (text: string): unknown => parsed(`machine: { tlb: ${text} }\n`).machine.tlb;
    expect(tlb('zen4')).toMatchObject({ name: 'zen4' });
    expect(tlb('none')).toMatchObject({ name: 'none' });
    expect(tlb('{ preset: kunpeng920, contiguous: 16K, gigahertz: 2 }')).toMatchObject({
      name: 'kunpeng920',
      contiguous: [16_384],
      gigahertz: 2,
      cycles: { secondLevelHit: 7 },
    });
    expect(tlb('{ levels: [[{ entries: 8, ways: 2, sizes: [4K, 2M], replacement: random }]] }')).toMatchObject({
      name: 'own',
      levels: [[{ entries: 8, ways: 2, sizes: [4096, 2 ** 21], replacement: 'random' }]],
    });
  });

  it.each([
    ['zen5', 'file.yaml:6:17: machine.tlb is "zen5"'],
    ['{ levels: [[{ entries: 10, ways: 3, sizes: 4K }]] }', 'file.yaml:6:50: 3 ways do not divide 10 entries'],
    ['{ levels: [[{ entries: 10, sizes: 12K }]] }', '12K is no page size'],
    ['{ levels: [] }', 'machine.tlb.levels'],
  ])('that is wrong is refused: %s', (tlb, message) => {
    expect(problems(`machine: { tlb: ${tlb} }\n`)).toContain(message);
  });
});
