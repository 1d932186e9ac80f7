import { afterEach, describe, expect, it } from 'vitest';
import { defects, makePoolWorld } from '../testing/pool-world.js';
import { type Controller, startController } from './controller.js';

const urls = {
  controllerUrl: new URL('../testing/controller-worker.mjs', import.meta.url),
  workerUrl: new URL('../testing/pool-worker.mjs', import.meta.url),
};
let controller: Controller | undefined;
afterEach(() => controller?.close());

describe('the controller', () => {
  it('steps while paused, runs when started, tells counters meanwhile, and stops', async () => {
    const world = makePoolWorld({ processes: 3, ranges: 8, uniform: true });
    controller = startController(world.k, { threads: 2, ...urls });
    const control = controller;
    expect(await control.counters()).toMatchObject({ state: 'paused', passes: 0, pagesCollapsed: 0 });
    const report = await control.step(1);
    expect(report.scanners).toHaveLength(2);
    const stepped = await control.counters();
    expect(stepped).toMatchObject({ state: 'paused', passes: 1 });
    expect(stepped.pagesCollapsed).toBeGreaterThan(7);
    await control.start();
    expect((await control.counters()).state).toBe('running');
    await expect(control.step(1)).rejects.toThrow(/while paused/);
    await control.pause();
    const done = await control.stop();
    expect(done).toMatchObject({ state: 'stopped', pagesCollapsed: 24 });
    expect(world.mms.map((mm) => world.m.mm.anonThps[mm])).toEqual([8, 8, 8]);
    expect(defects(world)).toEqual([]);
  });

  it('that dies fails every call, instead of answering none', async () => {
    const world = makePoolWorld({ processes: 1, ranges: 1 });
    controller = startController(world.k, { threads: 1, ...urls });
    await controller.counters();
    await controller.close();
    await expect(controller.counters()).rejects.toThrow(/controller has ended/);
  });

  it('needs a scanner', () => {
    const world = makePoolWorld({ processes: 1, ranges: 1 });
    expect(() => startController(world.k, { threads: 0, ...urls })).toThrow(/threads from 1/);
  });
});
