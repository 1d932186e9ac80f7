import { mmput } from '@thplab/mm-model';
import { DAMON_ROOT } from '@thplab/sysfs-schema';
import { describe, expect, it } from 'vitest';
import { damon618, damonRfcV2 } from '../profile.js';
import { BASE, makeDesk, PAGES, setUp } from '../testing/desk.js';
import { INSTALLATION_ORDER } from '../testing/golden-filters.js';
import { DEFAULT_FILES } from '../testing/golden-monitoring.js';
import { TARGET_ORDER_FILE } from '../testing/golden-split.js';

describe("a kdamond's state file", () => {
  it('shows off before, on while it runs, off after', () => {
    const desk = makeDesk();
    setUp(desk);
    expect(desk.read('0/state')).toBe('off');
    expect(desk.read('0/pid')).toBe('-1');
    expect(desk.write('0/state', 'on')).toBe('ok');
    desk.w.pass(0.3);
    expect(desk.read('0/state')).toBe('on');
    expect(Number(desk.read('0/pid'))).toBeGreaterThan(0);
    expect(desk.write('0/state', 'off')).toBe('ok');
    expect(desk.read('0/state')).toBe('off');
    expect(desk.read('0/pid')).toBe('-1');
  });

  it('refuses on twice with EBUSY, and changes of nr_kdamonds while it runs', () => {
    const desk = makeDesk();
    setUp(desk);
    expect(desk.write('0/state', 'on')).toBe('ok');
    expect(desk.write('0/state', 'on')).toBe('EBUSY');
    expect(desk.write('nr_kdamonds', '2')).toBe('EBUSY');
    expect(desk.write('0/state', 'off')).toBe('ok');
    expect(desk.write('nr_kdamonds', '2')).toBe('ok');
    expect(desk.read('0/contexts/nr_contexts')).toBe('0');
  });

  it('refuses commands that need what is not there with EINVAL', () => {
    const desk = makeDesk();
    expect(desk.write('nr_kdamonds', '1')).toBe('ok');
    expect(desk.write('0/state', 'on')).toBe('EINVAL');
    expect(desk.write('0/state', 'off')).toBe('EINVAL');
    expect(desk.write('0/contexts/nr_contexts', '2')).toBe('EINVAL');
    expect(desk.write('0/contexts/nr_contexts', '1')).toBe('ok');
    expect(desk.write('0/state', 'commit')).toBe('EINVAL');
    expect(desk.write('0/state', 'update_schemes_stats')).toBe('EINVAL');
    expect(desk.write('0/state', 'restart')).toBe('EINVAL');
  });

  it('off of one that has stopped is a success, and it can be switched on again', () => {
    const desk = makeDesk();
    setUp(desk);
    for (const word of ['on', 'off', 'off', 'on', 'off']) expect(desk.write('0/state', word)).toBe('ok');
  });

  it.each([
    ['0/contexts/0/monitoring_attrs/nr_regions/min', '2'],
    ['0/contexts/0/monitoring_attrs/nr_regions/max', '9'],
    ['0/contexts/0/monitoring_attrs/intervals/aggr_us', '4999'],
    ['0/contexts/0/targets/0/pid_target', '1'],
    ['0/contexts/0/targets/0/regions/0/end', '0'],
    ['0/contexts/0/operations', 'paddr'],
  ])('refuses on with %s = %s', (path, value) => {
    const desk = makeDesk();
    setUp(desk, [
      [path, value],
      ...(value === 'paddr'
        ? ([
            ['0/contexts/0/targets/nr_targets', '2'],
            ['0/contexts/0/schemes/nr_schemes', '0'],
          ] as const)
        : []),
    ]);
    expect(desk.write('0/state', 'on')).toBe('EINVAL');
    expect(desk.read('0/state')).toBe('off');
  });

  it('refuses what this model lacks, and says so', () => {
    const desk = makeDesk();
    setUp(desk, [['0/contexts/0/monitoring_attrs/probes/nr_probes', '1']]);
    const outcome = desk.w.run(() => desk.admin.write(`${DAMON_ROOT}/kdamonds/0/state`, 'on'));
    expect(outcome).toMatchObject({ ok: false, errno: 'EINVAL' });
    expect(outcome.ok ? '' : outcome.message).toContain('not modelled');
  });

  it('goes off by itself when the process exits; statistics stay', () => {
    const desk = makeDesk();
    setUp(desk);
    expect(desk.write('0/state', 'on')).toBe('ok');
    desk.w.pass(0.35);
    desk.w.run(() => mmput(desk.w.m, desk.mm));
    desk.w.pass(0.2);
    expect(desk.read('0/state')).toBe('off');
    expect(desk.write('0/state', 'update_schemes_stats')).toBe('ok');
    expect(Number(desk.read('0/contexts/0/schemes/0/stats/nr_tried'))).toBeGreaterThan(0);
  });
});

describe('what a running kdamond shows', () => {
  const STATS = '0/contexts/0/schemes/0/stats';

  it('statistics stand still until they are updated', () => {
    const desk = makeDesk();
    setUp(desk);
    expect(desk.write('0/state', 'on')).toBe('ok');
    desk.w.pass(0.5);
    expect(desk.read(`${STATS}/nr_tried`)).toBe('0');
    expect(desk.write('0/state', 'update_schemes_stats')).toBe('ok');
    const shown = Number(desk.read(`${STATS}/nr_tried`));
    expect(shown).toBeGreaterThan(0);
    desk.w.pass(0.5);
    expect(Number(desk.read(`${STATS}/nr_tried`))).toBe(shown);
  });

  it('or are, every refresh_ms', () => {
    const desk = makeDesk();
    setUp(desk, [['0/refresh_ms', '200']]);
    expect(desk.write('0/state', 'on')).toBe('ok');
    desk.w.pass(0.5);
    expect(Number(desk.read(`${STATS}/nr_tried`))).toBeGreaterThan(0);
  });

  it('tried regions are folders, cleared and made anew; a second walk meanwhile is EBUSY', () => {
    const desk = makeDesk();
    setUp(desk);
    const tried = '0/contexts/0/schemes/0/tried_regions';
    expect(desk.write('0/state', 'on')).toBe('ok');
    desk.w.pass(0.25);
    let second = '';
    desk.w.executor.spawn(
      'impatient',
      function* () {
        const outcome = yield* desk.admin.write(`${DAMON_ROOT}/kdamonds/0/state`, 'update_schemes_tried_bytes');
        second = outcome.ok ? 'ok' : outcome.errno;
      },
      { startNs: desk.w.executor.current.nowNs + 1_000_000 },
    );
    expect(desk.write('0/state', 'update_schemes_tried_regions')).toBe('ok');
    expect(second).toBe('EBUSY');
    expect(desk.read(`${tried}/total_bytes`)).toBe(String(PAGES * 4096));
    expect(desk.read(`${tried}/0/start`)).toBe(String(BASE * 4096));
    expect(desk.write('0/state', 'clear_schemes_tried_regions')).toBe('ok');
    expect(desk.read(`${tried}/0/start`)).toBeUndefined();
    expect(desk.write('0/state', 'update_schemes_tried_bytes')).toBe('ok');
    expect(desk.read(`${tried}/0/start`)).toBeUndefined();
    expect(desk.write('0/state', 'off')).toBe('ok');
    expect(desk.write('0/state', 'update_schemes_tried_regions')).toBe('ECANCELED');
  });

  it('effective quotas', () => {
    const desk = makeDesk();
    setUp(desk, [['0/contexts/0/schemes/0/quotas/bytes', '1048576']]);
    expect(desk.write('0/state', 'on')).toBe('ok');
    desk.w.pass(0.25);
    expect(desk.write('0/state', 'update_schemes_effective_quotas')).toBe('ok');
    expect(desk.read('0/contexts/0/schemes/0/quotas/effective_bytes')).toBe('1048576');
  });

  it('commits change what runs: schemes beyond the new number go, statistics of the others stay', () => {
    const desk = makeDesk();
    setUp(desk);
    expect(desk.write('0/state', 'on')).toBe('ok');
    desk.w.pass(0.35);
    const before = desk.admin.context(0);
    expect(desk.write('0/contexts/0/monitoring_attrs/nr_regions/min', '2')).toBe('ok');
    expect(desk.write('0/state', 'commit')).toBe('EINVAL');
    expect(desk.write('0/contexts/0/monitoring_attrs/nr_regions/min', '20')).toBe('ok');
    expect(desk.write('0/contexts/0/schemes/0/action', 'hugepage')).toBe('ok');
    expect(desk.write('0/state', 'commit')).toBe('ok');
    expect(desk.admin.context(0)).toBe(before);
    expect(before?.runningSchemes.map(({ config }) => config.action)).toEqual(['hugepage']);
    expect(desk.write('0/contexts/0/schemes/nr_schemes', '0')).toBe('ok');
    expect(desk.write('0/state', 'commit')).toBe('ok');
    expect(before?.runningSchemes).toEqual([]);
  });
});

describe("DAMON's folders", () => {
  it('a file of a folder that is not there is ENOENT, a folder EISDIR', () => {
    const desk = makeDesk();
    expect(desk.write('0/state', 'on')).toBe('ENOENT');
    expect(desk.write('nr_kdamond', '1')).toBe('ENOENT');
    expect(desk.write('', '1')).toBe('EISDIR');
  });

  it('target_order takes 0, or 2 and above', () => {
    const { mode, shows, writes } = TARGET_ORDER_FILE;
    const desk = makeDesk(damonRfcV2);
    setUp(desk);
    const path = '0/contexts/0/schemes/0/target_order';
    expect(desk.read(path)).toBe(shows);
    expect(desk.admin.files.entries().find((entry) => entry.path.endsWith(path))?.mode).toBe(mode);
    expect(writes.map(({ value }) => desk.write(path, String(value)))).toEqual(writes.map(({ result }) => result));
    expect(makeDesk(damon618).write(path, '2')).toBe('ENOENT');
  });

  it.each(DEFAULT_FILES)('$row: $file shows $value before anybody writes it', ({ file, value }) => {
    const desk = makeDesk();
    desk.write('nr_kdamonds', '1');
    desk.write('0/contexts/nr_contexts', '1');
    expect(desk.read(`0/contexts/0/${file}`)).toBe(String(value));
  });

  it('filters are installed folder by folder, each in its layer', () => {
    const { written, core, ops } = INSTALLATION_ORDER;
    const desk = makeDesk();
    setUp(desk);
    const scheme = '0/contexts/0/schemes/0';
    for (const directory of ['core_filters', 'ops_filters', 'filters']) {
      const count = written.filter((one) => one.directory === directory).length;
      expect(desk.write(`${scheme}/${directory}/nr_filters`, String(count))).toBe('ok');
    }
    const next: Record<string, number> = {};
    for (const { directory, type } of written) {
      const number = next[directory] ?? 0;
      next[directory] = number + 1;
      expect(desk.write(`${scheme}/${directory}/${number}/type`, type)).toBe('ok');
    }
    expect(desk.write('0/state', 'on')).toBe('ok');
    const config = desk.admin.context(0)?.runningSchemes[0]?.config;
    expect(config?.coreFilters.map(({ type }) => type)).toEqual(core);
    expect(config?.opsFilters.map(({ type }) => type)).toEqual(ops);
  });

  it('a listing has what there is now', () => {
    const desk = makeDesk();
    const paths = (): string[] => desk.admin.files.entries().map(({ path }) => path.slice(DAMON_ROOT.length));
    expect(paths()).toEqual(['', '/kdamonds', '/kdamonds/nr_kdamonds']);
    setUp(desk);
    expect(paths()).toContain('/kdamonds/0/contexts/0/targets/0/regions/0/end');
    expect(paths()).not.toContain('/kdamonds/1');
  });
});
