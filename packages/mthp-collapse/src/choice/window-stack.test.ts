import { describe, expect, it } from 'vitest';
import { NO_WINDOW, windowAt, windowOffset, windowOrder } from './window.js';
import { WindowStack } from './window-stack.js';

describe('a window', () => {
  it('keeps offset and order up to the largest table', () => {
    const window = windowAt(8192 - 4, 2);
    expect([windowOffset(window), windowOrder(window)]).toEqual([8188, 2]);
    expect(windowAt(0, 13)).not.toBe(NO_WINDOW);
  });
});

describe('a window stack', () => {
  it.each([
    [3, 2],
    [9, 2],
    [9, 3],
    [13, 2],
  ])('from order %i down to %i is full exactly at the deepest point of the walk (B20)', (pmdOrder, minOrder) => {
    const stack = new WindowStack(pmdOrder, minOrder);
    stack.push(windowAt(0, pmdOrder));
    let deepest = stack.depth;
    const leaves: number[] = [];
    for (let w = stack.pop(); w !== NO_WINDOW; w = stack.pop()) {
      if (windowOrder(w) > minOrder) stack.pushHalves(w);
      else leaves.push(windowOffset(w));
      deepest = Math.max(deepest, stack.depth);
    }
    expect(deepest).toBe(pmdOrder - minOrder + 1);
    expect(leaves).toEqual([...leaves.keys()].map((index) => index * 2 ** minOrder));
    expect(leaves).toHaveLength(2 ** (pmdOrder - minOrder));
  });

  it('refuses a window beyond its bound', () => {
    const stack = new WindowStack(3, 3);
    stack.push(windowAt(0, 3));
    expect(() => stack.push(windowAt(0, 3))).toThrow('window stack is full at 1 windows');
  });
});
