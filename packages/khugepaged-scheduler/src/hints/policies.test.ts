import { sleep } from '@thplab/sync';
import { describe, expect, it } from 'vitest';
import { first, makeHinted, makeHintWorld } from '../testing/hint-world.js';
import { HINT_POLICIES, hintPolicyNamed } from './policies.js';
import { hintPolicyFields } from './policy.js';

describe('policies', () => {
  it('have names of their own, and one line each', () => {
    const names = HINT_POLICIES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { summary } of HINT_POLICIES) expect(summary).toMatch(/^\S.{10,110}$/);
  });

  it('can be changed field by field behind their name', () => {
    const policy = hintPolicyNamed('as-posted:failureBudget=40:alreadyHuge=ignored:scanSleep=ended');
    expect(policy).toMatchObject({ failureBudget: 40, alreadyHuge: 'ignored', scanSleep: 'ended' });
    expect(policy.name).toBe('as-posted:failureBudget=40:alreadyHuge=ignored:scanSleep=ended');
    expect(hintPolicyNamed('best').name).toBe('best');
  });

  it.each([
    ['swift', /no hint policy "swift"; expected one of none, as-posted, /],
    ['fair:', /"" changes nothing; expected FIELD=VALUE/],
    ['fair:speed=1', /no field "speed"; there are failureBudget, /],
    ['fair:queue=false', /no field "queue"/],
    ['fair:failureBudget=0', /failureBudget of a hint policy is 0; expected a whole number from 1/],
    ['fair:failureBudget=many', /expected a whole number from 1/],
    ['fair:budgetShare=2', /expected a number from 0.01 to 1/],
    ['fair:contended=waits', /expected one of burns, requeues/],
    ['fair:deduplicates=1', /expected true or false/],
  ])('refuse %s', (text, message) => {
    expect(() => hintPolicyNamed(text)).toThrow(message);
  });

  it('have at least one cure for every field that the patch fixes', () => {
    const posted = hintPolicyNamed('as-posted') as unknown as Record<string, unknown>;
    const same = hintPolicyFields().filter((field) =>
      HINT_POLICIES.every((policy) => (policy as unknown as Record<string, unknown>)[field] === posted[field]),
    );
    expect(same, 'a number to be chosen').toEqual(['failureBudget']);
  });
});

describe('dedup', () => {
  it('lets a range wait once, and moves it up when the second hint is more urgent', () => {
    const w = makeHintWorld('dedup');
    const a = makeHinted(w, 3);
    for (const range of [0, 1, 2]) w.hint(a, range, { priority: 1 });
    expect(w.hint(a, 1, { priority: 1 })).toBe('duplicate');
    expect(w.hint(a, 2, { priority: 0 })).toBe('duplicate');
    expect(w.hint(a, 2, { priority: 1 }), 'never down').toBe('duplicate');
    expect(w.k.t.hint.pool.live).toBe(3);
    w.visit();
    expect(w.served.map((line) => line.slice(2, 3)).join('')).toBe('201');
  });

  it('forgets a range that was served or dropped', () => {
    const w = makeHintWorld('dedup');
    const a = makeHinted(w, 2);
    for (const _ of first(3)) {
      expect(w.hint(a, 0)).toBe('queued');
      w.visit();
    }
    expect(w.served).toHaveLength(3);
  });

  it('keeps what the newer hint knows of the VMA', () => {
    const w = makeHintWorld('dedup');
    const [a, b] = [makeHinted(w, 1, { full: [0] }), makeHinted(w, 1)];
    w.hint(a, 0, { vma: b.vma });
    w.hint(a, 0);
    w.visit();
    expect(w.dropped).toEqual([]);
  });
});

describe('bounded', () => {
  it('pushes the oldest out', () => {
    const w = makeHintWorld('as-posted:mostPerRequest=3');
    const a = makeHinted(w, 6);
    for (const range of first(6)) w.hint(a, range);
    expect(w.dropped).toEqual([0, 1, 2].map((range) => `${a.mm}.${range} displaced`));
    expect(w.k.t.hint.pool.live).toBe(3);
  });

  it('drops what is too old, at no charge to the budget', () => {
    const w = makeHintWorld('as-posted:mostAgeNs=1000000000');
    const a = makeHinted(w, 3);
    for (const range of [0, 1]) w.hint(a, range);
    w.run(function* () {
      yield sleep(2e9);
    });
    w.hint(a, 2);
    w.visit(1);
    expect(w.dropped).toEqual([0, 1].map((range) => `${a.mm}.${range} aged`));
    expect(w.served).toHaveLength(1);
    expect(w.k.control.progress).toBe(2);
  });
});
