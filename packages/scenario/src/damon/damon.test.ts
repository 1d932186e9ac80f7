import { describe, expect, it } from 'vitest';
import { validateScenario } from '../format/index.js';
import { runText } from '../testing/scenario-text.js';

const APP = `
sysfs: { enabled: never }
machine: { memory: 512M }
processes:
  - name: app
    vmas: [{ name: heap, size: 16M, at: "0x40000000", populate: full }]
events:
  - { at: 0, access: { process: app, vma: heap, blocks: 0-1, every: 4ms } }
`;

const GROW = `
damon:
  - operations: fvaddr
    regions: { min: 3 }
    targets: [{ process: app, ranges: { vma: heap } }]
    schemes:
      - { name: grow, action: collapse, size: ">= 2M", accesses: ">= 50%", age: ">= 200ms" }
`;

describe('damon in a scenario', () => {
  it('collapses what is hot, and nothing else', () => {
    const { result } = runText(`${APP}${GROW}
run: { for: 3s }
expect:
  schemes: { grow: { applied: ">0", sizeApplied: ">= 2M" } }
  monitoring: { hot: "2M..8M", above: 50%, monitored: 16M, regions: 3..1000 }
`);
    expect(result.expectations.filter(({ ok }) => !ok)).toEqual([]);
    const [damon] = result.damon;
    expect(damon).toMatchObject({ name: 'kdamond-0', state: 'on', profile: 'mm-2026', aggregations: 29 });
    expect(damon.schemes[0]).toMatchObject({ name: 'grow', action: 'collapse' });
    expect(result.processes[0].anonHuge).toBeGreaterThanOrEqual(2 * 2 ** 20);
    expect(result.processes[0].anonHuge).toBeLessThan(8 * 2 ** 20);
  });

  it('gives the same bytes each time', () => {
    const run = (): string => JSON.stringify(runText(`${APP}${GROW}run: { for: 500ms }`).result);
    expect(run()).toBe(run());
  });

  it('is switched on and off when the scenario says', () => {
    const body = `${APP}${GROW.replace('operations', 'start: 200ms\n    stop: 1s\n    operations')}run: { for: 2s }`;
    const [damon] = runText(body).result.damon;
    expect(damon).toMatchObject({ state: 'off', aggregations: 8 });
    expect(damon.targets[0].monitored).toBe(16 * 2 ** 20);
  });

  it('says so where the operations find no regions', () => {
    const body = `${APP}\ndamon: [{ targets: app }]\nrun: { for: 100ms }`;
    expect(runText(body).result.damon[0].warnings.join()).toContain('less than two holes');
  });
});

describe("DAMON's files in a scenario", () => {
  const FILES = `
sysfs:
  damon/admin/kdamonds/nr_kdamonds: 1
  damon/admin/kdamonds/0/contexts/nr_contexts: 1
  /sys/kernel/mm/damon/admin/kdamonds/0/contexts/0/operations: fvaddr
  damon/admin/kdamonds/0/contexts/0/targets/nr_targets: 1
  damon/admin/kdamonds/0/contexts/0/targets/0/pid_target: app
  damon/admin/kdamonds/0/contexts/0/targets/0/regions/nr_regions: 1
  damon/admin/kdamonds/0/contexts/0/targets/0/regions/0/start: "0x40000000"
  damon/admin/kdamonds/0/contexts/0/targets/0/regions/0/end: "0x40400000"
  damon/admin/kdamonds/0/contexts/0/schemes/nr_schemes: 1
  damon/admin/kdamonds/0/contexts/0/schemes/0/access_pattern/sz/max: "18446744073709551615"
  damon/admin/kdamonds/0/contexts/0/schemes/0/access_pattern/nr_accesses/max: 20
  damon/admin/kdamonds/0/contexts/0/schemes/0/access_pattern/age/max: 1000
processes: [{ name: app, vmas: [{ name: heap, size: 4M, at: "0x40000000", populate: full }] }]
`;

  it('set up a kdamond as on a real machine, in order; update commands refresh what is expected', () => {
    const { result } = runText(`${FILES}
events:
  - { at: 0, sysfs: { damon/admin/kdamonds/0/state: on } }
  - { at: 10ms, sysfs: { damon/admin/kdamonds/0/state: on }, expect: { errno: EBUSY } }
  - { at: 10ms, sysfs: { damon/admin/kdamonds/nr_kdamonds: 3 }, expect: { errno: EBUSY } }
  - { at: 500ms, sysfs: { damon/admin/kdamonds/0/state: update_schemes_stats } }
  - { at: 600ms, sysfs: { damon/admin/kdamonds/0/state: off } }
  - { at: 700ms, sysfs: { damon/admin/kdamonds/0/state: update_schemes_tried_regions }, expect: { errno: ECANCELED } }
run: { for: 1s }
expect:
  counters:
    damon/admin/kdamonds/0/state: "off"
    damon/admin/kdamonds/0/contexts/0/schemes/0/stats/nr_tried: ">0"
    damon/admin/kdamonds/0/contexts/0/schemes/0/action: stat
  schemes: { kdamond-0.0: { tried: ">0", applied: 0 } }
  monitoring: { kdamond: kdamond-0, process: app, monitored: 4M, hot: 0 }
`);
    expect(result.expectations.filter(({ ok }) => !ok)).toEqual([]);
    expect(result.damon[0]).toMatchObject({ name: 'kdamond-0', state: 'off', targets: [{ process: 'app' }] });
  });

  it('a folder that is not there is an error with its place', () => {
    expect(() => runText(FILES.replace('nr_contexts: 1', 'nr_contexts: 0'))).toThrow(/ENOENT.*nr_contexts is 0/s);
  });

  it.each([
    ['damon/admin/kdamonds/nr_kdamond: 1', /did you mean "damon\/admin\/kdamonds\/nr_kdamonds"/],
    ['damon/admin/kdamonds/0/contexts/nr_contexts: 2', /EINVAL; expected a number from 0 to 1/],
    ['damon/admin/kdamonds/0/contexts/0/schemes/0/action: splt', /EINVAL; expected one of willneed/],
    ['damon/admin/kdamonds/0/contexts/0/schemes/0/stats/nr_tried: 1', /is read only/],
    ['damon/admin/kdamonds/0/contexts/0/schemes/0/target_order: 2', /DAMON mm-2026 has no file/],
  ])('%s is refused', (line, message) => {
    const checked = validateScenario(`format: thplab/scenario@1\nname: test\nsysfs: { ${line} }`, { path: 'a.yaml' });
    expect(checked.ok ? '' : checked.error.message).toMatch(message);
  });
});

const BAD: readonly (readonly [body: string, line: number, message: RegExp])[] = [
  ['damon: [{ targets: nobody }]', 3, /there is no process "nobody"; the file defines app/],
  ['damon: [{ targets: app, regions: { min: 2 } }]', 3, /min_nr_regions 2: at least 3/],
  ['damon: [{ targets: app, intervals: { sample: 200ms } }]', 3, /sample_us 200000 is above aggr_us 100000/],
  ['damon: [{ targets: app, operations: fvaddr }]', 3, /fvaddr has the regions that it is given/],
  ['damon: [{ operations: vaddr }]', 3, /vaddr without targets/],
  ['damon: [{ targets: app, schemes: [{ action: splt }] }]', 3, /did you mean "split"/],
  ['damon: [{ targets: app, schemes: [{ action: split }] }]', 3, /mm-2026 has no action split/],
  ['damon: [{ targets: app, schemes: [{ action: stat, acceses: 1 }] }]', 3, /did you mean "accesses"/],
  ['damon: [{ targets: app, schemes: [{ action: stat, accesses: ">= 5 x" }] }]', 3, /share of the samples/],
  ['damon: [{ targets: app, schemes: [{ action: stat, filters: [{ type: anon }] }] }]', 3, /unknown key "type"/],
  ['damon: [{ targets: app, schemes: [{ action: stat, filters: { allow: anon, min: 4K } }] }]', 3, /has no min/],
  ['damon: [{ targets: app, schemes: [{ action: stat }, { action: stat }] }]', 3, /two schemes are called "stat"/],
  ['damon: { profile: v6.18, kdamonds: [{ targets: app, schemes: [{ action: collapse }] }] }', 3, /has no action/],
  ['expect: { schemes: { nothing: { tried: 1 } } }', 3, /there is no scheme "nothing"; see the key damon/],
  ['expect: { monitoring: { hot: 0, kdamond: moniter } }', 3, /there is no kdamond "moniter"/],
];

describe('mistakes in damon', () => {
  it.each(BAD)('%s', (body, line, message) => {
    const text = `format: thplab/scenario@1\nname: test\n${body}\nprocesses: [{ name: app, vmas: [{ name: heap, size: 4M }] }]`;
    const checked = validateScenario(text, { path: 'bad.yaml' });
    expect(checked.ok).toBe(false);
    if (checked.ok) return;
    expect(checked.error.message).toMatch(message);
    expect(checked.error.message).toMatch(new RegExp(`^bad\\.yaml:${line}:\\d+: `));
  });
});
