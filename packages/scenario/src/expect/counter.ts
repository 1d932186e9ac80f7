/** Expectations about counters. */
import { SYSFS_ROOT } from '@thplab/sysfs-schema';
import { type CounterExpectation, formatBound, formatCount } from '../format/index.js';
import { counterText, counterValue, hasCounter } from '../report/counters.js';
import type { World } from '../run/world.js';
import { type Judged, judgeNumber } from './judged.js';

/** A counter's value; `before`: its change since then. */
export function judgeCounter(world: World, one: CounterExpectation, before = 0): Judged {
  const name = one.name.startsWith(`${SYSFS_ROOT}/`) ? one.name.slice(SYSFS_ROOT.length + 1) : one.name;
  if (!hasCounter(world, one)) {
    const expected = typeof one.value === 'string' ? one.value : formatBound(one.value, formatCount);
    return {
      key: one.key,
      what: name,
      expected,
      actual: `kernel ${world.collapse.profile} has no such file`,
      ok: false,
    };
  }
  if (typeof one.value !== 'string') {
    return judgeNumber(one.key, name, one.value, counterValue(world, one) - before, formatCount);
  }
  const actual = counterText(world, one);
  return { key: one.key, what: name, expected: one.value, actual, ok: actual === one.value };
}
