import { describe, expect, it } from 'vitest';
import { problemsIn, scenarioOf } from '../testing/format-text.js';
import { type EventAction, parseScenario, type Span } from './index.js';

const M = 2 ** 20;
const APP = 'processes: [{name: app, vmas: [{name: heap, size: 8M}, {name: odd, size: 5M, at: "0x200000100000"}]}]\n';

function actionOf(event: string): EventAction {
  return scenarioOf(`${APP}events: [{at: 0s, ${event}}]\n`).events[0].action;
}

function spanOf(event: string): Span {
  const action = actionOf(event);
  if (!('span' in action)) throw new Error(`${action.kind} has no span`);
  return action.span;
}

describe('address space', () => {
  it('VMAs that say no address are block-aligned, in order, with gaps', () => {
    const [a, b] = scenarioOf('processes: [{name: p, vmas: [{name: a, size: 4K}, {name: b, size: 4M}]}]\n').processes[0]
      .vmas;
    expect((a.start ?? 1) % (2 * M)).toBe(0);
    expect((b.start ?? 1) % (2 * M)).toBe(0);
    expect((b.start ?? 0) - (a.start ?? 0)).toBe(4 * M);
  });

  it('overlaps, doubled names and broken pages are reported', () => {
    const vmas = '[{name: a, size: 4M, at: "0x200000"}, {name: a, size: 4M, at: "0x400000"}, {name: c, size: 4097}]';
    expect(problemsIn(`processes: [{name: p, vmas: ${vmas}}, {name: p}]\n`)).toEqual([
      expect.stringContaining('a second VMA "a" in this process'),
      expect.stringContaining('a overlaps a; which ends at 0x600000'),
      expect.stringContaining('size is no multiple of the page size; expected a multiple of 4K'),
      expect.stringContaining('a second process "p"'),
    ]);
  });

  it('more present pages than memory are noticed before the run', () => {
    expect(problemsIn('processes: [{name: p, count: 3, vmas: [{name: a, size: 512M, populate: full}]}]\n')).toEqual([
      '1:1: the processes start with 1.5G of present pages, the machine has 1G; raise machine.memory',
    ]);
  });
});

describe('snapshot files', () => {
  it('lie beside the scenario file unless they are absolute', () => {
    const text = (file: string): string =>
      `format: thplab/scenario@1\nname: x\nprocesses: [{name: p, snapshot: ${file}}]\n`;
    const fileOf = (file: string, path: string): unknown => parseScenario(text(file), { path }).processes[0].snapshot;
    expect(fileOf('heap.thps', 'a/b.yaml')).toBe('a/heap.thps');
    expect(fileOf('./heap.thps', 'b.yaml')).toBe('heap.thps');
    expect(fileOf('../heap.thps', '/a/b.yaml')).toBe('/a/../heap.thps');
    expect(fileOf('/x/heap.thps', 'a/b.yaml')).toBe('/x/heap.thps');
  });
});

describe('targets', () => {
  it('a VMA means all of it, blocks count from its first whole block, pages from its start', () => {
    expect(spanOf('madvise: {process: app, vma: heap, advice: cold}')).toMatchObject({ start: 0, length: 8 * M });
    expect(spanOf('madvise: {process: app, vma: heap, blocks: 1-2, advice: cold}')).toMatchObject({
      start: 2 * M,
      length: 4 * M,
    });
    expect(spanOf('madvise: {process: app, vma: odd, blocks: 0, advice: cold}')).toMatchObject({
      start: M,
      length: 2 * M,
    });
    expect(spanOf('munmap: {process: app, vma: heap, pages: 3-5}')).toMatchObject({
      start: 3 * 4096,
      length: 3 * 4096,
    });
  });

  it('offset and size may leave the VMA, address and size need none', () => {
    expect(spanOf('madvise: {process: app, vma: heap, offset: 4M, size: 8M, advice: collapse}')).toEqual({
      process: 'app',
      vma: 'heap',
      start: 4 * M,
      length: 8 * M,
    });
    expect(spanOf('munmap: {process: app, address: "0x1000", size: 1M}')).toEqual({
      process: 'app',
      vma: null,
      start: 4096,
      length: M,
    });
  });

  it('the only VMA of a process need not be named', () => {
    const one = 'processes: [{name: p, vmas: [{name: only, size: 4M}]}]\nevents: [{at: 0s, mlock: {process: p}}]\n';
    expect(scenarioOf(one).events[0].action).toMatchObject({ span: { vma: 'only' } });
    expect(problemsIn(`${APP}events: [{at: 0s, mlock: {process: app}}]\n`).join()).toContain(
      'this does not say where; expected vma (heap, odd), or address and size',
    );
  });

  it.each([
    ['mlock: {process: app, vma: heap, blocks: 4}', 'there is no block 4; the blocks of the VMA are 0 to 3'],
    ['mlock: {process: app, vma: odd, blocks: 2}', 'there is no block 2; the blocks of the VMA are 0 to 1'],
    ['mlock: {process: app, vma: heap, pages: 2048}', 'there is no page 2048; the pages of the VMA are 0 to 2047'],
    ['mlock: {process: app, vma: heap, pages: "1,3"}', 'several runs of pages'],
    ['mlock: {process: app, vma: heap, pages: 1, blocks: 1}', 'blocks and pages both say where'],
    ['mlock: {process: app, vma: heap, address: "0x1000"}', 'vma beside address'],
    ['mlock: {process: app, vma: hepa}', 'there is no VMA "hepa" in this process; did you mean "heap"?'],
    ['mlock: {process: ap, vma: heap}', 'there is no process "ap"; did you mean "app"?'],
    ['mlock: {process: app.0, vma: heap}', '"app" is a single process'],
    ['fault: {process: app, vma: heap, sparse: 1, stride: 2}', 'sparse and stride both say which pages'],
    ['fault: {process: app, vma: heap, pages: 0-2048}', 'page 2048 is outside the range; its pages are 0 to 2047'],
    ['fault: {process: app, vma: heap, perTable: 513}', '513 pages in each table; expected at most 512'],
    ['swapout: {process: app, vma: heap}', 'swapout without swap'],
    ['uffd: {process: app, vma: heap, call: register}', 'register needs modes'],
    ['failAllocation: {order: 10, nth: 1}', 'this machine has no folios of order 10'],
    ['failAllocation: {order: 9}', 'expected exactly one of nth, every, count'],
    ['cpu: 2, exit: {process: app}', 'there is no CPU 2'],
    ['exit: {process: app}, check: {}', 'exit and check in one event'],
    ['repeat: {every: 1s}', 'this event does nothing'],
  ])('%s: %s', (event, message) => {
    expect(problemsIn(`${APP}events: [{at: 0s, ${event}}]\n`).join('\n')).toContain(message);
  });
});

describe('events', () => {
  it('are in the order of their time, and of the file at one time', () => {
    const events = '[{at: 1s, check: {}}, {at: 0s, exit: {process: app}}, {at: 1s, fork: {process: app, as: kid}}]';
    expect(scenarioOf(`${APP}events: ${events}\n`).events.map((event) => event.key)).toEqual([
      'events[1]',
      'events[0]',
      'events[2]',
    ]);
  });

  it('children of fork are known by name and inherit the VMAs of their parent', () => {
    const fork = '{at: 0s, fork: {process: app, as: kid, count: 3}}';
    expect(problemsIn(`${APP}events: [${fork}, {at: 1s, mlock: {process: kid.2, vma: heap}}]\n`)).toEqual([]);
    expect(problemsIn(`${APP}events: [${fork}, {at: 1s, mlock: {process: kdi, vma: heap}}]\n`).join()).toContain(
      '"kid"',
    );
    expect(problemsIn(`${APP}events: [{at: 0s, fork: {process: app, as: app}}]\n`).join()).toContain('another name');
  });

  it('a mapping made by an event is known by name; a repeated one is placed by the runner', () => {
    const mmap = (more: string): string =>
      `{at: 0s, ${more}mmap: {process: app, name: buffer, size: 4M, populate: full}}`;
    const use = '{at: 1s, munmap: {process: app, vma: buffer, blocks: 1}}';
    const [once] = scenarioOf(`${APP}events: [${mmap('')}, ${use}]\n`).events;
    const [again] = scenarioOf(`${APP}events: [${mmap('repeat: {every: 1s, times: 2}, ')}, ${use}]\n`).events;
    expect(once.action).toMatchObject({
      vma: { start: expect.any(Number), populate: [{ pattern: { kind: 'full' } }] },
    });
    expect(again.action).toMatchObject({ vma: { start: null } });
  });

  it('groups have members up to their count', () => {
    const group = 'processes: [{name: w, count: 2, vmas: [{name: h, size: 4M}]}]\n';
    expect(problemsIn(`${group}events: [{at: 0s, exit: {process: w.1}}, {at: 0s, exit: {process: w}}]\n`)).toEqual([]);
    expect(problemsIn(`${group}events: [{at: 0s, exit: {process: w.2}}]\n`).join()).toContain('the last one is w.1');
  });
});

describe('populate', () => {
  const layersOf = (text: string) =>
    scenarioOf(`processes: [{name: p, vmas: [{name: h, size: 4M, populate: ${text}}]}]\n`).processes[0].vmas[0]
      .populate;

  it('is a word, a list of pages, a layer, or a list of them', () => {
    expect(layersOf('full')).toMatchObject([{ pattern: { kind: 'full' }, order: 0, young: 1, pinned: 0 }]);
    expect(layersOf('7')).toMatchObject([{ pattern: { kind: 'runs', runs: [{ first: 7, count: 1 }] } }]);
    expect(layersOf('[full, {pages: "3-4", state: zero}]')).toHaveLength(2);
    expect(layersOf('{order: 64K}')).toMatchObject([{ pattern: { kind: 'full' }, order: 4 }]);
    expect(layersOf('{runs: [[0, 4], {from: 8, to: 11}]}')).toMatchObject([
      {
        pattern: {
          runs: [
            { first: 0, count: 4 },
            { first: 8, count: 4 },
          ],
        },
      },
    ]);
    expect(layersOf('{stride: 8, pinned: true, young: 25%}')).toMatchObject([
      { pattern: { kind: 'stride', every: 8, first: 0, count: 1 }, pinned: 1, young: 0.25 },
    ]);
    expect(layersOf('{bitmap: "0b1100"}')).toMatchObject([{ pattern: { kind: 'bitmap', repeat: true } }]);
  });

  it('shares of states must add up', () => {
    expect(layersOf('{state: {present: 0.9, swap: 0.1}}')).toMatchObject([
      {
        states: [
          { state: 'present', fraction: 0.9 },
          { state: 'swap', fraction: 0.1 },
        ],
      },
    ]);
    const short = 'processes: [{name: p, vmas: [{name: h, size: 4M, populate: {state: {present: 0.9}}}]}]\n';
    expect(problemsIn(short).join()).toContain('the shares add up to 90%');
  });

  it('folio orders follow the page size, and order 1 is none', () => {
    const at = (machine: string, order: string): string =>
      `machine: {${machine}}\nprocesses: [{name: p, vmas: [{name: h, size: 2M, populate: {pages: none, order: ${order}}}]}]\n`;
    expect(scenarioOf(at('pageSize: 64K, memory: 4G', '2M')).processes[0].vmas[0].populate[0].order).toBe(5);
    expect(problemsIn(at('', '8K')).join()).toContain('no anonymous folios of order 1');
    expect(problemsIn(at('pmdOrder: 3', '64K')).join()).toContain('or a size from 4K to 32K');
  });
});

describe('expectations', () => {
  it('resolve names, counters and blocks', () => {
    const expect_ =
      '{counters: {khugepaged/full_scans: ">= 2", enabled: "always [madvise] never"}, ' +
      'outcomes: {process: app, vma: odd, outcome: [page_count, collapsed 2M]}, coverage: {process: app, sizes: {64K: 0}}}';
    const { counters, outcomes, coverage } = scenarioOf(`${APP}expect: ${expect_}\n`).expect;
    expect(counters.map((one) => [one.source, one.name.split('/').at(-1), one.value])).toEqual([
      ['sysfs', 'full_scans', { min: 2, max: null }],
      ['sysfs', 'enabled', 'always [madvise] never'],
    ]);
    expect(outcomes[0].blocks).toEqual([{ first: 0, count: 2 }]);
    expect(outcomes[0].outcomes).toEqual([
      { kind: 'result', result: 'not_suitable_page_count' },
      { kind: 'collapsed', size: 2 * M },
    ]);
    expect(coverage[0].sizes).toEqual([{ size: 65536, share: { min: 0, max: 0 } }]);
  });

  it.each([
    ['outcomes: {process: app, vma: heap, blocks: 4, outcome: collapsed}', 'the blocks of the VMA are 0 to 3'],
    ['outcomes: {process: app, vma: heap, outcome: exceed_none_ptes}', 'did you mean "exceed_none_pte"?'],
    ['coverage: {process: app, sizes: {3K: 1}}', '"3K" is no folio size of this machine'],
    ['coverage: {process: app}', 'expected huge, sizes or both'],
    ['memory: {process: app, free: 1G}', 'free memory belongs to the machine'],
  ])('%s: %s', (text, message) => {
    expect(problemsIn(`${APP}expect: {${text}}\n`).join('\n')).toContain(message);
  });
});
