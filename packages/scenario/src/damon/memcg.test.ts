// Memory cgroups and pause, as scenarios, writes to sysfs and damo documents have them.

import { describe, expect, it } from 'vitest';
import { damoDocument } from '../damo/write-kdamonds.js';
import { assembleMachine } from '../run/assemble.js';
import { problemsIn, scenarioOf } from '../testing/format-text.js';
import { runText } from '../testing/scenario-text.js';

const MACHINE = `
sysfs: { enabled: never }
machine: { memory: 256M, swap: 64M }
processes:
  - { name: a, memcg: /jobs/a, vmas: [{ name: heap, size: 4M, at: "0x40000000", populate: full }] }
  - { name: b, memcg: /jobs/b, count: 2, vmas: [{ name: heap, size: 2M, at: "0x40000000", populate: full }] }
  - { name: other, vmas: [{ name: heap, size: 1M, at: "0x40000000", populate: full }] }
`;
const M = 2 ** 20;
/** 248 pages: as many as come to the LRU, where DAMON finds them, in whole batches of 31. */
const BATCHES = 248 * 4096;

const count = (filter: string, more = ''): string =>
  `damon: [{ operations: paddr, schemes: [{ action: stat, maxSnapshots: 1, filters: ${filter}${more} }] }]\n`;

function passed(body: string): number | undefined {
  const { result } = runText(body);
  return result.damon[0]?.schemes[0]?.szOpsFilterPassed;
}

describe('memory cgroups of processes', () => {
  it.each([
    ['/jobs/a', 4 * M],
    ['/jobs/b', 4 * M],
    ['/jobs', 0],
    ['/', 1 * M],
  ])('a filter lets pass what is charged to %s', (path, bytes) => {
    expect(passed(`${MACHINE}${count(`{ allow: memcg, memcg: ${path} }`)}run: { for: 300ms }`)).toBe(bytes);
  });

  it('a filter with not lets pass what is charged to any other', () => {
    const filter = '{ allow: memcg, memcg: /jobs/a, not: true }';
    expect(passed(`${MACHINE}${count(filter)}run: { for: 300ms }`)).toBe(5 * M);
  });

  it('children are in the cgroup of their parent, and are charged for what they write to', () => {
    const events = `
events:
  - { at: 1ms, fork: { process: a, as: child } }
  - { at: 2ms, fault: { process: child, vma: heap, pages: 0-247, write: true } }
`;
    const body = `${MACHINE}${events}${count('{ allow: memcg, memcg: /jobs/a }')}run: { for: 300ms }`;
    expect(passed(body)).toBe(4 * M + BATCHES);
  });

  it('the page cache belongs to who touched it first, and what nobody touched to the root', () => {
    const body = `
machine: { memory: 256M }
files: [{ name: data, size: 4M, cached: { pages: 0-255 } }]
processes:
  - { name: a, memcg: /a, vmas: [{ name: map, file: data, size: 4M, flags: shared }] }
  - { name: b, memcg: /b, vmas: [{ name: map, file: data, size: 4M, flags: shared }] }
events:
  - { at: 1ms, fault: { process: a, vma: map, pages: 0-503 } }
  - { at: 2ms, fault: { process: b, vma: map, pages: 0-751 } }
`;
    const bytes = (path: string): number | undefined =>
      passed(`${body}${count(`{ allow: memcg, memcg: ${path} }`)}run: { for: 300ms }`);
    expect([bytes('/'), bytes('/a'), bytes('/b')]).toEqual([1 * M, BATCHES, BATCHES]);
  });
});

describe('memory cgroups that are not right', () => {
  it.each([
    ['processes: [{ name: p, memcg: jobs }]', /"jobs".*expected the path of a memory cgroup from the root/],
    ['processes: [{ name: p, memcg: /jobs/ }]', /expected the path of a memory cgroup from the root/],
    ['processes: [{ name: p, memcg: /a/../b }]', /expected the path of a memory cgroup from the root/],
    ['processes: [{ name: p, memcg: 7 }]', /expected the path of a memory cgroup from the root/],
    [count('{ allow: memcg, memcg: /jobs/c }'), /there is no memory cgroup "\/jobs\/c"; did you mean/],
    [count('{ allow: memcg }'), /a filter of type memcg without memcg/],
    [count('{ allow: anon, memcg: /jobs }'), /a filter of type anon has no memcg/],
    [
      count('{ allow: anon }', ', quota: { goals: { metric: node_memcg_used_bp, target: 5 } }'),
      /node_memcg_used_bp without memcg/,
    ],
    [
      count('{ allow: anon }', ', quota: { goals: { metric: node_mem_free_bp, target: 5, memcg: / } }'),
      /memcg with node_mem_free_bp/,
    ],
    [
      count('{ allow: anon }', ', quota: { goals: { metric: node_memcg_free_bp, target: 5, memcg: /x } }'),
      /there is no memory cgroup "\/x"/,
    ],
  ])('%s', (text, message) => {
    const body = text.startsWith('processes') ? `${text}\n` : `${MACHINE}${text}`;
    expect(problemsIn(body).join('\n')).toMatch(message);
  });

  it('are refused by the kernels that do not know them', () => {
    const goal = '{ metric: node_memcg_used_bp, target: 5, memcg: / }';
    const damon = `{ profile: v6.18, kdamonds: [{ operations: paddr, schemes: [{ action: stat, quota: { goals: ${goal} } }] }] }`;
    expect(problemsIn(`${MACHINE}damon: ${damon}\n`).join()).toMatch(
      /DAMON v6\.18 has no goal metric node_memcg_used_bp/,
    );
    const paused = '{ profile: v7.1, kdamonds: [{ operations: paddr, pause: true }] }';
    expect(problemsIn(`${MACHINE}damon: ${paused}\n`).join()).toMatch(/DAMON v7\.1 has no pause/);
  });
});

const CONTEXT = 'damon/admin/kdamonds/0/contexts/0';
const SCHEME = `${CONTEXT}/schemes/0`;

describe('writes to files', () => {
  it('name cgroups and pause, with the errors of a kernel', () => {
    const { result } = runText(`${MACHINE}${count('{ allow: memcg, memcg: /jobs/a }').replace('maxSnapshots: 1, ', '')}
events:
  - { at: 1s, sysfs: { ${SCHEME}/ops_filters/0/memcg_path: /jobs/c } }
  - { at: 1s, sysfs: { damon/admin/kdamonds/0/state: commit }, expect: { errno: EINVAL } }
  - { at: 1001ms, sysfs: { ${SCHEME}/ops_filters/0/memcg_path: /jobs } }
  - { at: 1001ms, sysfs: { ${CONTEXT}/pause: Y } }
  - { at: 1002ms, sysfs: { damon/admin/kdamonds/0/state: commit } }
  - { at: 2s, sysfs: { damon/admin/kdamonds/0/state: off } }
  - { at: 2100ms, sysfs: { ${SCHEME}/ops_filters/0/memcg_path: /nowhere } }
  - { at: 2200ms, sysfs: { damon/admin/kdamonds/0/state: on }, expect: { errno: ENOMEM } }
run: { for: 3s }
`);
    expect(result.expectations.filter(({ ok }) => !ok)).toEqual([]);
    expect(result.damon[0]?.schemes[0]?.szOpsFilterPassed).toBe(10 * 4 * M);
    expect(result.damon[0]?.aggregations).toBe(10);
  });
});

describe('documents of damo', () => {
  const DOCUMENT = `
  damo:
    kdamonds:
      - contexts:
          - ops: paddr
            pause: PAUSE
            targets: [{ pid: null, regions: [{ start: 0, end: 256M }] }]
            schemes:
              - action: stat
                quotas:
                  time_ms: 0 s
                  sz_bytes: 0 B
                  reset_interval_ms: 1 s
                  goals: [{ metric: node_memcg_used_bp, nid: 0, memcg_path: /jobs, target_value: 5 %, current_value: 0 }]
                  goal_tuner: consist
                  weights: { sz_permil: 0 %, nr_accesses_permil: 0 %, age_permil: 0 % }
                filters: [{ filter_type: memcg, matching: true, allow: true, memcg_path: /jobs/b }]
`;
  const scenario = (pause: boolean): string => `${MACHINE}damon:${DOCUMENT.replace('PAUSE', String(pause))}`;

  it('say pause, and the cgroups of filters and goals, and are written as they were read', () => {
    const [spec] = scenarioOf(scenario(true)).damon.kdamonds;
    expect(spec).toMatchObject({ pause: true, schemes: [{ filters: [{ type: 'memcg', memcg: '/jobs/b' }] }] });
    expect(spec?.schemes[0]?.goals).toMatchObject([{ metric: 'node_memcg_used_bp', targetValue: 500, memcg: '/jobs' }]);
    const written = damoDocument(assembleMachine(scenarioOf(scenario(true))).kdamonds.fillFiles(), null);
    expect(written).toMatchObject({
      kdamonds: [
        {
          contexts: [
            {
              pause: true,
              schemes: [
                {
                  quotas: { goals: [{ metric: 'node_memcg_used_bp', nid: 0, memcg_path: '/jobs' }] },
                  filters: [{ filter_type: 'memcg', memcg_path: '/jobs/b' }],
                },
              ],
            },
          ],
        },
      ],
    });
  });

  it('run; one that pauses sees nothing', () => {
    const tried = (pause: boolean): number =>
      runText(`${scenario(pause).replace(/goals: .*/, 'goals: []')}\nrun: { for: 1s }\n`).result.damon[0]?.schemes[0]
        ?.nrTried ?? -1;
    expect([tried(true), tried(false) > 0]).toEqual([0, true]);
  });
});
