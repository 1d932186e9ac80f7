import { mmput } from '@thplab/mm-model';
import { DAMON_ROOT } from '@thplab/sysfs-schema';
import { describe, expect, it } from 'vitest';
import { damon618, damonMm, damonRfcV2 } from '../profile.js';
import { type DamonWorld, makeDamonWorld, makeProcess } from '../testing/damon-world.js';

import { DamonAdmin } from './admin.js';

const BASE = 0x80000;
const PAGES = 4 * 512;
const PID = 4242;

interface Desk {
  readonly w: DamonWorld;
  readonly admin: DamonAdmin;
  readonly mm: ReturnType<typeof makeProcess>['mm'];
  /** Writes a file below kdamonds/; 'ok' or the errno. */
  write(path: string, text: string): string;
  read(path: string): string | undefined;
}

function makeDesk(profile = damonMm): Desk {
  const w = makeDamonWorld();
  const { mm } = makeProcess(w, BASE, PAGES);
  const tree = profile === damon618 ? 'v6.18' : profile === damonRfcV2 ? 'damon-rfc' : 'mm-2026';
  const admin = new DamonAdmin({
    machine: w.m,
    profile,
    tree,
    collapse: w.collapse,
    startThread: (name, procedure, options) => w.executor.spawn(name, procedure, options).id,
    mmOfPid: (pid) => (pid === PID ? mm : undefined),
    extras: () => ({ locking: 'batch', seed: 1 }),
  });
  return {
    w,
    admin,
    mm,
    write: (path, text) => {
      const outcome = w.run(() => admin.write(`${DAMON_ROOT}/kdamonds/${path}`, `${text}\n`));
      return outcome.ok ? 'ok' : outcome.errno;
    },
    read: (path) => admin.read(`${DAMON_ROOT}/kdamonds/${path}`)?.trimEnd(),
  };
}

const SET_UP: readonly (readonly [string, string])[] = [
  ['nr_kdamonds', '1'],
  ['0/contexts/nr_contexts', '1'],
  ['0/contexts/0/operations', 'fvaddr'],
  ['0/contexts/0/targets/nr_targets', '1'],
  ['0/contexts/0/targets/0/pid_target', String(PID)],
  ['0/contexts/0/targets/0/regions/nr_regions', '1'],
  ['0/contexts/0/targets/0/regions/0/start', String(BASE * 4096)],
  ['0/contexts/0/targets/0/regions/0/end', String((BASE + PAGES) * 4096)],
  ['0/contexts/0/schemes/nr_schemes', '1'],
  ['0/contexts/0/schemes/0/access_pattern/sz/max', '18446744073709551615'],
  ['0/contexts/0/schemes/0/access_pattern/nr_accesses/max', '4294967295'],
  ['0/contexts/0/schemes/0/access_pattern/age/max', '4294967295'],
];

function setUp(desk: Desk, more: readonly (readonly [string, string])[] = []): void {
  for (const [path, value] of [...SET_UP, ...more]) expect([path, desk.write(path, value)]).toEqual([path, 'ok']);
}

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
    setUp(desk, [
      ['0/contexts/0/schemes/0/ops_filters/nr_filters', '1'],
      ['0/contexts/0/schemes/0/ops_filters/0/type', 'memcg'],
    ]);
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

// Selftests whose only claim is that nothing breaks (11.3).
describe('a running kdamond outlives', () => {
  it('commands for schemes whose folders are gone (sysfs_update_removed_scheme_dir.sh)', () => {
    for (const command of ['update_schemes_stats', 'update_schemes_tried_regions', 'update_schemes_effective_quotas']) {
      const desk = makeDesk();
      setUp(desk);
      expect(desk.write('0/state', 'on')).toBe('ok');
      desk.w.pass(0.25);
      expect(desk.write('0/contexts/0/schemes/nr_schemes', '0')).toBe('ok');
      expect([command, desk.write('0/state', command)]).toEqual([command, 'ok']);
      expect(desk.read('0/contexts/0/schemes/0/stats/nr_tried')).toBeUndefined();
      desk.w.pass(0.25);
      expect(desk.read('0/state')).toBe('on');
      expect(desk.write('0/state', 'off')).toBe('ok');
    }
  });

  it('a commit without targets (sysfs_no_target_commit)', () => {
    const desk = makeDesk();
    setUp(desk);
    expect(desk.write('0/state', 'on')).toBe('ok');
    desk.w.pass(0.25);
    expect(desk.write('0/contexts/0/targets/nr_targets', '0')).toBe('ok');
    expect(desk.write('0/state', 'commit')).toBe('ok');
    desk.w.pass(0.25);
    // No target is left to be monitored, so it ends, as where the processes exit.
    expect(desk.read('0/state')).toBe('off');
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
    const desk = makeDesk(damonRfcV2);
    setUp(desk);
    const order = '0/contexts/0/schemes/0/target_order';
    expect(desk.read(order)).toBe('0');
    expect(['0', '1', '2', '9', '14'].map((value) => desk.write(order, value))).toEqual([
      'ok',
      'EINVAL',
      'ok',
      'ok',
      'EINVAL',
    ]);
    expect(makeDesk(damon618).write(order, '2')).toBe('ENOENT');
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
