// A context that pauses (DAMON spec 6.1, 8.3).

import { mmput } from '@thplab/mm-model';
import { describe, expect, it } from 'vitest';
import { commitDamon, damonRegions, isRunning } from './create.js';
import type { Damon } from './damon.js';
import { damon71 } from './profile.js';
import { schemeStats } from './schemes/running.js';
import { damosWalk } from './schemes/walk.js';
import { BASE, range } from './testing/apply-once.js';
import { type DamonWorld, fillBase, keepTouching, makeDamonWorld, makeProcess } from './testing/damon-world.js';
import { refusal, STAT } from './testing/rounds.js';

/** A process of 1024 pages, half of them in use, and a kdamond that counts its regions. */
function watched(pause = false, profile?: typeof damon71): { w: DamonWorld; d: Damon; exit: () => void } {
  const w = makeDamonWorld();
  const { mm, vma } = makeProcess(w, BASE, 1_024);
  fillBase(w, vma, BASE, 1_024);
  keepTouching(w, mm, BASE, 512);
  const d = w.start({
    operations: 'fvaddr',
    targets: [{ mm, regions: [range(BASE, 1_024)] }],
    schemes: [STAT],
    ...(pause ? { pause } : {}),
    ...(profile === undefined ? {} : { profile }),
  });
  return { w, d, exit: () => w.run(() => mmput(w.m, mm)) };
}

const pause = ({ w, d }: { w: DamonWorld; d: Damon }, on: boolean): unknown =>
  w.run(() => commitDamon(d, { pause: on }));
const samples = (d: Damon): number => d.t.damonContext.passedSamples[d.context] as number;

describe('a context that pauses', () => {
  it('neither samples nor applies, and keeps what it has learnt', () => {
    const world = watched();
    const { w, d } = world;
    w.pass(1);
    expect(pause(world, true)).toBe(0);
    const before = { regions: damonRegions(d), stats: schemeStats(d, 0), samples: samples(d) };
    expect(before.samples).toBeGreaterThan(150);
    expect(before.stats.nrTried).toBeGreaterThan(0);
    w.pass(5);
    expect({ regions: damonRegions(d), stats: schemeStats(d, 0), samples: samples(d) }).toEqual(before);
    expect(isRunning(d)).toBe(true);
  });

  it('goes on where it stopped when a commit says so', () => {
    const world = watched();
    const { w, d } = world;
    w.pass(1);
    pause(world, true);
    w.pass(5);
    const before = { nrTried: schemeStats(d, 0).nrTried, samples: samples(d) };
    expect(pause(world, false)).toBe(0);
    w.pass(1);
    expect(samples(d) - before.samples).toBeGreaterThan(150);
    expect(schemeStats(d, 0).nrTried).toBeGreaterThan(before.nrTried);
    // Its age is of the time that it watched, not of the time that passed.
    const oldest = Math.max(...damonRegions(d).map(({ age }) => age));
    expect(oldest).toBeLessThanOrEqual(20);
  });

  it('may start so', () => {
    const world = watched(true);
    world.w.pass(1);
    expect([samples(world.d), schemeStats(world.d, 0).nrTried]).toEqual([0, 0]);
    pause(world, false);
    world.w.pass(1);
    expect(schemeStats(world.d, 0).nrTried).toBeGreaterThan(0);
  });

  it('answers commits meanwhile, turns walks down, and ends with its process', () => {
    const { w, d, exit } = watched(true);
    expect(w.run(() => commitDamon(d, { attributes: { sampleIntervalUs: 10_000 } }))).toBe(0);
    expect(w.run(() => damosWalk(d, () => {}))).toBe('ECANCELED');
    exit();
    w.pass(0.1);
    expect(isRunning(d)).toBe(false);
  });

  it('is unknown to Linux 7.1', () => {
    expect(refusal(() => watched(true, damon71))).toBe('EINVAL');
    const { w, d } = watched(false, damon71);
    expect(refusal(() => w.run(() => commitDamon(d, { pause: true })))).toBe('EINVAL');
  });
});
