import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatRead } from './format-read.js';
import { anonOrders, bytesOfOrder, GEOMETRY_4K, GEOMETRY_64K, GEOMETRY_TINY, type Geometry } from './geometry.js';
import { type BootMachine, defaultSettings, parseBootOptions } from './initial.js';
import { filesOf, SYSFS_ROOT, sysfsTree } from './tree.js';

/** What the files show after a boot, by path below the root, the chosen word or number only. */
function shown(line: string, geometry: Geometry = GEOMETRY_4K, machine: BootMachine = {}): Record<string, string> {
  const { settings } = parseBootOptions(line, geometry, machine);
  return Object.fromEntries(
    filesOf(sysfsTree('merged', geometry)).flatMap((file) => {
      const { storage } = file;
      if (storage.kind !== 'setting' && storage.kind !== 'order-setting') return [];
      const text = formatRead(file, settings[storage.cell]).trimEnd();
      return [[file.path.slice(SYSFS_ROOT.length + 1), /\[(.*)\]/.exec(text)?.[1] ?? text]];
    }),
  );
}

/** The words of the per-size enabled files from 16 kB to 2 MiB. */
function anon(line: string): string {
  const files = shown(line);
  return [16, 32, 64, 128, 256, 512, 1024, 2048].map((kb) => files[`hugepages-${kb}kB/enabled`]?.[0]).join('');
}

function problems(line: string, geometry: Geometry = GEOMETRY_4K): readonly string[] {
  return parseBootOptions(line, geometry).problems.map(({ message }) => message);
}

describe('boot options', () => {
  it('the example: PMD size inherits, three sizes are always, the others never', () => {
    const line = 'transparent_hugepage=always thp_anon=16K-64K:always;2M:inherit';
    expect(anon(line)).toBe('aaannnni');
    expect(shown(line).enabled).toBe('always');
    expect(problems(line)).toEqual([]);
  });

  it('without thp_anon only the PMD size inherits; with it, unlisted sizes are never, the PMD size too', () => {
    expect(anon('')).toBe('nnnnnnni');
    expect(anon('transparent_hugepage=never')).toBe('nnnnnnni');
    expect(anon('thp_anon=64K:madvise')).toBe('nnmnnnnn');
  });

  it('later policies override earlier ones, and a second thp_anon adds to the first', () => {
    expect(anon('thp_anon=16K-2M:always;64K,256K:never;128K:inherit')).toBe('aaninaaa');
    expect(anon('thp_anon=16K:always thp_anon=2M:inherit;16K:madvise')).toBe('mnnnnnni');
  });

  it('sizes are numbers as the kernel reads them: any suffix and base, rubbish after the suffix', () => {
    expect(anon('thp_anon=65536:always')).toBe('nnannnnn');
    expect(anon('thp_anon=0x10000,0200000,64k,64kB,64KiB:always')).toBe('nnannnnn');
    expect(anon('thp_anon=2M,2048K:always')).toBe('nnnnnnna');
  });

  it.each([
    [
      'thp_anon=8K:always',
      /"8K" is not one of the sizes.*they are 16kB, 32kB, .*2048kB; the kernel ignores the option$/,
    ],
    ['thp_anon=4M:always', /"4M" is not one/],
    ['thp_anon=48K:always', /"48K"/],
    ['thp_anon=K:always', /"K"/],
    ['thp_anon=:always', /"" is not one/],
    ['thp_anon=64K,:always', /""/],
    ['thp_anon=1E:always', /"1E"/],
    ['thp_anon=64K-16K:always', /the range 64K-16K runs downwards/],
    ['thp_anon=16K-:always', /"16K-"/],
    ['thp_anon=64K', /"64K" has no policy/],
    ['thp_anon=64K:always;', /"" has no policy/],
    ['thp_anon=', /"" has no policy/],
    ['thp_anon=64K:defer', /"defer" is not a policy; there are always, inherit, madvise, never/],
    ['thp_anon=64K:always:never', /"always:never"/],
  ])('%s is ignored whole and reported', (line, message) => {
    expect(problems(line)).toEqual([expect.stringMatching(message)]);
    expect(anon(line)).toBe('nnnnnnni');
    expect(anon(`thp_anon=32K:always ${line}`)).toBe('nannnnnn');
  });

  it('shmem has options of its own, with its own sizes and words', () => {
    const files = shown('transparent_hugepage_shmem=within_size thp_shmem=8K-16K:advise;2M:inherit');
    expect(files.shmem_enabled).toBe('within_size');
    expect(files['hugepages-8kB/shmem_enabled']).toBe('advise');
    expect(files['hugepages-32kB/shmem_enabled']).toBe('never');
    expect(files['hugepages-2048kB/shmem_enabled']).toBe('inherit');
    expect(files['hugepages-2048kB/enabled']).toBe('inherit');
    expect(problems('thp_shmem=64K:madvise')).toHaveLength(1);
    expect(problems('transparent_hugepage_shmem=madvise')).toHaveLength(1);
  });

  it('shmem force asks for the PMD size at inherit before it', () => {
    expect(problems('transparent_hugepage_shmem=force')).toEqual([expect.stringContaining('force needs')]);
    expect(shown('thp_shmem=2M:inherit transparent_hugepage_shmem=force').shmem_enabled).toBe('force');
  });

  it('the last good top-level word wins', () => {
    expect(shown('transparent_hugepage=always transparent_hugepage=never').enabled).toBe('never');
    const bad = 'transparent_hugepage=always transparent_hugepage=allways';
    expect(shown(bad).enabled).toBe('always');
    expect(problems(bad)).toEqual([
      'transparent_hugepage=allways: "allways" is none of always, madvise, never; the kernel ignores the option',
    ]);
  });

  it('leaves the rest of the command line alone, reads a dash as an underscore, and stops where init’s words begin', () => {
    const line =
      'root=/dev/vda ro  transparent-hugepage="always"\tquiet __proto__=1 toString=2 -- transparent_hugepage=never';
    const { others, problems: none } = parseBootOptions(line);
    expect(others).toEqual(['root=/dev/vda', 'ro', 'quiet', '__proto__=1', 'toString=2']);
    expect(none).toEqual([]);
    expect(shown(line).enabled).toBe('always');
  });

  it('names sizes by the geometry', () => {
    expect(shown('thp_anon=512M:always', GEOMETRY_64K)['hugepages-524288kB/enabled']).toBe('always');
    expect(problems('thp_anon=16K:always', GEOMETRY_64K)).toHaveLength(1);
    expect(problems('thp_shmem=512M:always', GEOMETRY_64K)).toHaveLength(1);
    expect(shown('thp_anon=16K-32K:madvise', GEOMETRY_TINY)['hugepages-16kB/enabled']).toBe('madvise');
  });

  it('sets each size and each range of sizes', () => {
    const orders = anonOrders(GEOMETRY_4K);
    const size = (order: number): string => `${bytesOfOrder(GEOMETRY_4K, order) / 1024}K`;
    const words = ['always', 'inherit', 'madvise', 'never'] as const;
    fc.assert(
      fc.property(fc.constantFrom(...orders), fc.constantFrom(...orders), fc.constantFrom(...words), (a, b, word) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const expected = orders.map((order) => (order >= low && order <= high ? word[0] : 'n')).join('');
        expect(anon(`thp_anon=${size(low)}-${size(high)}:${word}`)).toBe(expected);
      }),
    );
  });

  it('never throws, whatever the line', () => {
    const piece = fc.constantFrom(
      'thp_anon=',
      'thp_shmem=',
      'transparent_hugepage=',
      '64K',
      '-',
      ':',
      ';',
      ',',
      'always',
      ' ',
      '"',
      '=',
      '2M',
      '\0',
      '0x',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const { settings } = parseBootOptions(pieces.join(''));
        expect(settings.length).toBe(defaultSettings(GEOMETRY_4K).length);
      }),
    );
  });
});

describe('the machine at boot', () => {
  it('the kernel’s build decides what enabled is without an option', () => {
    expect(shown('').enabled).toBe('madvise');
    expect(shown('', GEOMETRY_4K, { enabledDefault: 'always' }).enabled).toBe('always');
    expect(shown('transparent_hugepage=never', GEOMETRY_4K, { enabledDefault: 'always' }).enabled).toBe('never');
  });

  it('below 512 MiB all top-level flags are off, whatever the command line says; sizes keep theirs', () => {
    const line = 'transparent_hugepage=always thp_anon=64K:always';
    const small = shown(line, GEOMETRY_4K, { memoryBytes: 512 * 2 ** 20 - 4096 });
    expect(small).toMatchObject({
      enabled: 'never',
      defrag: 'never',
      use_zero_page: '0',
      'khugepaged/defrag': '0',
      shrink_underused: '1',
      'hugepages-64kB/enabled': 'always',
    });
    expect(shown(line, GEOMETRY_4K, { memoryBytes: 512 * 2 ** 20 })).toEqual(shown(line));
  });
});
