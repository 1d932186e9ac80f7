import { describe, expect, it } from 'vitest';
import { checkWrite } from './check-write.js';
import {
  HUGEPAGES_ENABLED,
  HUGEPAGES_ENABLED_WORDS,
  HUGEPAGES_SHMEM_ENABLED,
  HUGEPAGES_SHMEM_ENABLED_WORDS,
  SHMEM_ENABLED,
  SHMEM_ENABLED_WORDS,
  THP_DEFRAG,
  THP_DEFRAG_WORDS,
  THP_ENABLED,
  THP_ENABLED_WORDS,
} from './choices.js';
import { GEOMETRY_4K, GEOMETRY_64K } from './geometry.js';
import { defaultSettings, parseBootOptions } from './initial.js';
import { anonOrderMasks, hugepageEnabled, shmemOrderMasks, shmemPmdEnabled } from './order-masks.js';
import { KERNEL_PROFILES, type KernelProfile } from './profiles.js';
import { settingIndex } from './settings.js';
import { file } from './testing/trees.js';

const boot = (line: string): Uint32Array => parseBootOptions(line, GEOMETRY_4K).settings;

describe('named choices', () => {
  it.each([
    [THP_ENABLED, THP_ENABLED_WORDS],
    [THP_DEFRAG, THP_DEFRAG_WORDS],
    [SHMEM_ENABLED, SHMEM_ENABLED_WORDS],
    [HUGEPAGES_ENABLED, HUGEPAGES_ENABLED_WORDS],
    [HUGEPAGES_SHMEM_ENABLED, HUGEPAGES_SHMEM_ENABLED_WORDS],
  ])('%o are the places of the words', (constants, words) => {
    const word = (name: string): string => ({ deferMadvise: 'defer+madvise', withinSize: 'within_size' })[name] ?? name;
    expect(Object.entries(constants).map(([name, index]) => words[index] === word(name))).toEqual(
      words.map(() => true),
    );
  });
});

describe('order masks', () => {
  it('by default only the PMD order is set, as inherit', () => {
    expect(anonOrderMasks(defaultSettings(GEOMETRY_4K), GEOMETRY_4K)).toEqual({
      always: 0,
      madvise: 0,
      inherit: 1 << 9,
    });
    expect(shmemOrderMasks(defaultSettings(GEOMETRY_64K), GEOMETRY_64K)).toEqual({
      always: 0,
      inherit: 1 << 13,
      withinSize: 0,
      advise: 0,
    });
  });

  it('collect the sizes by word', () => {
    expect(anonOrderMasks(boot('thp_anon=16K-64K:always;128K,2M:madvise;1M:inherit'), GEOMETRY_4K)).toEqual({
      always: 0b11100,
      madvise: (1 << 5) | (1 << 9),
      inherit: 1 << 8,
    });
    expect(shmemOrderMasks(boot('thp_shmem=8K:always;16K:within_size;32K:advise;64K:inherit'), GEOMETRY_4K)).toEqual({
      always: 2,
      withinSize: 4,
      advise: 8,
      inherit: 16,
    });
  });
});

describe('whether khugepaged has work', () => {
  const enabled = (line: string): readonly KernelProfile[] =>
    KERNEL_PROFILES.filter((profile) => hugepageEnabled(profile, boot(line), GEOMETRY_4K));
  const merged: readonly KernelProfile[] = ['hints-rfc', 'merged', 'damon-rfc', 'madvise-mthp'];
  const pmdOnly: readonly KernelProfile[] = ['v6.13', 'rfc-v1', 'v6.18'];

  it('with the PMD size enabled every kernel has', () => {
    expect(enabled('transparent_hugepage=madvise')).toEqual(KERNEL_PROFILES);
    expect(enabled('transparent_hugepage=never thp_anon=2M:always')).toEqual(KERNEL_PROFILES);
    expect(enabled('transparent_hugepage=never')).toEqual([]);
    expect(enabled('transparent_hugepage=never thp_anon=64K,2M:inherit')).toEqual([]);
  });

  it('with a smaller size alone the older kernels never start', () => {
    expect(enabled('transparent_hugepage=never thp_anon=64K:madvise')).toEqual(
      KERNEL_PROFILES.filter((profile) => !pmdOnly.includes(profile)),
    );
  });

  it('with no size at all the top-level file alone starts the merged kernel', () => {
    expect(enabled('transparent_hugepage=always thp_anon=2M:never')).toEqual(merged);
  });

  it('Dev Jain’s v2 starts for a smaller size only if max_ptes_none is 0 or the limit', () => {
    const settings = boot('transparent_hugepage=never thp_anon=64K:always');
    const runs = (none: number): boolean => {
      settings[settingIndex('khugepaged.max_ptes_none')] = none;
      return hugepageEnabled('dev-v2', settings, GEOMETRY_4K);
    };
    expect([0, 1, 510, 511].map(runs)).toEqual([true, false, false, true]);
  });

  it('shmem at PMD size is enough, unless it is denied', () => {
    const off = 'transparent_hugepage=never';
    expect(enabled(`${off} transparent_hugepage_shmem=advise`)).toEqual(KERNEL_PROFILES);
    expect(enabled(`${off} thp_shmem=2M:within_size`)).toEqual(KERNEL_PROFILES);
    expect(enabled(`${off} thp_shmem=2M:always transparent_hugepage_shmem=deny`)).toEqual([]);
    expect(enabled(`${off} thp_shmem=64K:always`)).toEqual([]);
    expect(shmemPmdEnabled(boot('transparent_hugepage_shmem=never'), GEOMETRY_4K)).toBe(false);
  });
});

describe('checkWrite', () => {
  it('answers as parseWrite where no other file matters', () => {
    const settings = defaultSettings(GEOMETRY_4K);
    expect(checkWrite(file('khugepaged/max_ptes_none'), '64\n', settings, GEOMETRY_4K)).toEqual({
      ok: true,
      value: 64,
    });
    expect(checkWrite(file('khugepaged/max_ptes_none'), 'x', settings, GEOMETRY_4K)).toMatchObject({ errno: 'EINVAL' });
    expect(checkWrite(file('shmem_enabled'), 'deny', settings, GEOMETRY_4K)).toEqual({ ok: true, value: 4 });
  });

  it('shmem force needs exactly the PMD size at inherit', () => {
    const force = (line: string): boolean => checkWrite(file('shmem_enabled'), 'force', boot(line), GEOMETRY_4K).ok;
    expect(force('')).toBe(true);
    expect(force('thp_shmem=2M:inherit;64K:always')).toBe(true);
    expect(force('thp_shmem=64K,2M:inherit')).toBe(false);
    expect(force('thp_shmem=2M:always')).toBe(false);
    expect(
      checkWrite(file('shmem_enabled', 'merged', GEOMETRY_64K), 'force', defaultSettings(GEOMETRY_64K), GEOMETRY_64K),
    ).toEqual({
      ok: true,
      value: SHMEM_ENABLED.force,
    });
  });

  it('under force no other size may inherit', () => {
    const settings = defaultSettings(GEOMETRY_4K);
    settings[settingIndex('shmem_enabled')] = SHMEM_ENABLED.force;
    const answer = (size: string, word: string): unknown =>
      checkWrite(file(`hugepages-${size}/shmem_enabled`), word, settings, GEOMETRY_4K);
    expect(answer('64kB', 'inherit')).toMatchObject({
      ok: false,
      errno: 'EINVAL',
      message: expect.stringContaining('force'),
    });
    expect(answer('2048kB', 'inherit')).toEqual({ ok: true, value: HUGEPAGES_SHMEM_ENABLED.inherit });
    expect(answer('64kB', 'always')).toEqual({ ok: true, value: HUGEPAGES_SHMEM_ENABLED.always });
  });
});
