import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SysfsSchemaError } from './errors.js';
import { formatRead, formatValue, parseRead } from './format-read.js';
import { GEOMETRY_64K } from './geometry.js';
import type { SysfsFile } from './node.js';
import { describeGrammar, parseWrite } from './parse-write.js';
import { file, MACHINES } from './testing/trees.js';
import { filesOf, isWritable, sysfsTree } from './tree.js';

/** The answer in short: the value, or the errno. */
function write(path: string, text: string): number | string {
  const result = parseWrite(file(path), text);
  return result.ok ? result.value : result.errno;
}

describe('choice files', () => {
  it.each([
    ['enabled', 'always madvise never'],
    ['defrag', 'always defer defer+madvise madvise never'],
    ['shmem_enabled', 'always within_size advise never deny force'],
    ['hugepages-64kB/enabled', 'always inherit madvise never'],
    ['hugepages-64kB/shmem_enabled', 'always inherit within_size advise never'],
  ])('%s takes its words exactly, with or without a newline', (path, words) => {
    words.split(' ').forEach((word, index) => {
      expect(write(path, word)).toBe(index);
      expect(write(path, `${word}\n`)).toBe(index);
      for (const bad of [`${word} `, ` ${word}`, `${word}\n\n`, word.toUpperCase(), `[${word}]`, word.slice(1)])
        expect(write(path, bad), bad).toBe('EINVAL');
    });
    expect(write(path, '')).toBe('EINVAL');
    expect(write(path, '\n')).toBe('EINVAL');
    expect(write(path, '0')).toBe('EINVAL');
  });

  it('a word of another file is unknown', () => {
    expect(write('enabled', 'inherit')).toBe('EINVAL');
    expect(write('enabled', 'defer')).toBe('EINVAL');
    expect(write('shmem_enabled', 'madvise')).toBe('EINVAL');
    expect(write('hugepages-64kB/shmem_enabled', 'force')).toBe('EINVAL');
  });

  it('the message names the file, the mistake and the words', () => {
    expect(parseWrite(file('enabled'), 'allways\n')).toEqual({
      ok: false,
      errno: 'EINVAL',
      message:
        '/sys/kernel/mm/transparent_hugepage/enabled: "allways" is not one of its words; it takes one of always, madvise, never',
    });
  });
});

describe('khugepaged numbers', () => {
  it.each(['max_ptes_none', 'max_ptes_swap', 'max_ptes_shared'])(
    '%s takes 0 to 511 and answers EINVAL to all else',
    (name) => {
      const path = `khugepaged/${name}`;
      expect(write(path, '0')).toBe(0);
      expect(write(path, '511\n')).toBe(511);
      expect(write(path, '+64')).toBe(64);
      for (const bad of ['512', '-1', '', '\n', 'max', '0x40', '1 ', '4294967296', '18446744073709551616'])
        expect(write(path, bad), bad).toBe('EINVAL');
    },
  );

  it('the limits follow the table: 8191 with 64 KiB pages', () => {
    const none = file('khugepaged/max_ptes_none', 'merged', GEOMETRY_64K);
    expect(parseWrite(none, '8191')).toEqual({ ok: true, value: 8191 });
    expect(parseWrite(none, '8192')).toMatchObject({
      errno: 'EINVAL',
      message: expect.stringMatching(/above 8191; it takes a decimal number from 0 to 8191$/),
    });
  });

  it('pages_to_scan takes 1 to 2^32 - 1', () => {
    expect(write('khugepaged/pages_to_scan', '1')).toBe(1);
    expect(write('khugepaged/pages_to_scan', '4294967295')).toBe(4294967295);
    expect(write('khugepaged/pages_to_scan', '0')).toBe('EINVAL');
    expect(write('khugepaged/pages_to_scan', '4294967296')).toBe('EINVAL');
  });

  it.each(['scan_sleep_millisecs', 'alloc_sleep_millisecs'])('%s takes 0 to 2^32 - 1', (name) => {
    expect(write(`khugepaged/${name}`, '0')).toBe(0);
    expect(write(`khugepaged/${name}`, '4294967295\n')).toBe(4294967295);
    expect(write(`khugepaged/${name}`, '4294967296')).toBe('EINVAL');
    expect(write(`khugepaged/${name}`, '10s')).toBe('EINVAL');
  });
});

describe('flags and booleans', () => {
  it.each(['use_zero_page', 'khugepaged/defrag'])(
    '%s takes 0 and 1, and passes the number parser’s error on',
    (path) => {
      expect(write(path, '0\n')).toBe(0);
      expect(write(path, '+1')).toBe(1);
      expect(write(path, '01')).toBe(1);
      for (const bad of ['2', '4294967296', '18446744073709551615', 'y', 'on', '-1', ''])
        expect(write(path, bad), bad).toBe('EINVAL');
      expect(write(path, '18446744073709551616')).toBe('ERANGE');
    },
  );

  it('shrink_underused takes boolean words, of the kernel’s age', () => {
    expect(write('shrink_underused', 'y\n')).toBe(1);
    expect(write('shrink_underused', 'off')).toBe(0);
    expect(write('shrink_underused', 'enabled')).toBe(1);
    expect(write('shrink_underused', '2')).toBe('EINVAL');
    expect(parseWrite(file('shrink_underused', 'v6.13'), 'enabled')).toMatchObject({ ok: false, errno: 'EINVAL' });
  });
});

describe('read-only files', () => {
  it.each(['hpage_pmd_size', 'khugepaged/pages_collapsed', 'khugepaged/full_scans', 'hugepages-64kB/stats/swpout'])(
    '%s answers EACCES to any write',
    (path) => {
      for (const text of ['0', '', '1\n', 'always']) expect(write(path, text)).toBe('EACCES');
    },
  );
});

describe('every file of every kernel on every geometry', () => {
  /** Values worth trying in a file: all of a small range, the ends of a wide one. */
  const sample = ({ grammar }: SysfsFile): readonly number[] => {
    switch (grammar.kind) {
      case 'choice':
        return grammar.choices.map((_, index) => index);
      case 'flag':
      case 'boolean':
        return [0, 1];
      case 'uint':
        return [grammar.min, grammar.min + 1, grammar.max - 1, grammar.max];
      case 'counter':
        return [0, 1, 4294967295, Number.MAX_SAFE_INTEGER];
      case 'constant':
        return [grammar.value];
    }
  };

  it.each(MACHINES)(
    '%s %o reads back what is written, and a written read gives the same value',
    (profile, geometry) => {
      for (const f of filesOf(sysfsTree(profile, geometry))) {
        for (const value of sample(f)) {
          const shown = formatRead(f, value);
          expect(shown.endsWith('\n') && shown.indexOf('\n') === shown.length - 1, f.path).toBe(true);
          if (value < 1e15) expect(parseRead(f, shown), f.path).toBe(value);
          if (!isWritable(f)) continue;
          expect(parseWrite(f, formatValue(f, value)), f.path).toEqual({ ok: true, value });
          expect(parseWrite(f, `${formatValue(f, value)}\n`), f.path).toEqual({ ok: true, value });
          const chosen = /\[(.*)\]/.exec(shown)?.[1];
          expect(parseWrite(f, chosen ?? shown), f.path).toEqual({ ok: true, value });
        }
      }
    },
  );

  it('answers any text with a value that can be shown, or with an errno and a message of bounded length', () => {
    const files = filesOf(sysfsTree('merged', GEOMETRY_64K));
    const text = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[+-]?\d{0,24}\n?$/),
      fc.constantFrom('always', 'never\n', 'inherit', 'on', 'force', '9'.repeat(5000)),
    );
    fc.assert(
      fc.property(fc.constantFrom(...files), text, (f, written) => {
        const result = parseWrite(f, written);
        if (result.ok) expect(parseRead(f, formatRead(f, result.value))).toBe(result.value);
        else {
          expect(['EINVAL', 'ERANGE', 'EACCES']).toContain(result.errno);
          expect(result.message.startsWith(`${f.path}: `)).toBe(true);
          expect(result.message.endsWith(describeGrammar(f))).toBe(true);
          expect(result.message.length).toBeLessThan(500);
        }
      }),
    );
  });

  it('has an errno for each way a write to it can be bad, and no other', () => {
    for (const f of filesOf(sysfsTree('merged', GEOMETRY_64K))) {
      const kinds = Object.keys(f.errnos).toSorted();
      const number = f.grammar.kind === 'uint' || f.grammar.kind === 'flag';
      expect(kinds, f.path).toEqual(
        !isWritable(f) ? ['read-only'] : number ? ['out-of-range', 'overflow', 'unparsable'] : ['unparsable'],
      );
    }
  });
});

describe('reads', () => {
  it('refuses to show a value that the file cannot have', () => {
    expect(() => formatRead(file('enabled'), 3)).toThrow(/no word number 3; words run from 0 to 2/);
    expect(() => formatRead(file('khugepaged/max_ptes_none'), 512)).toThrow(/cannot hold 512.*from 0 to 511/);
    expect(() => formatRead(file('use_zero_page'), 2)).toThrow(SysfsSchemaError);
    expect(() => formatRead(file('khugepaged/full_scans'), -1)).toThrow(SysfsSchemaError);
    expect(() => formatRead(file('khugepaged/full_scans'), 1.5)).toThrow(SysfsSchemaError);
    expect(() => formatRead(file('hpage_pmd_size'), 4096)).toThrow(SysfsSchemaError);
  });

  it('shows counters above 2^53 when given as a bigint', () => {
    expect(formatRead(file('hugepages-64kB/stats/swpout'), 2n ** 63n)).toBe('9223372036854775808\n');
  });

  it('parseRead knows a text that no kernel shows', () => {
    for (const text of [
      'always madvise never',
      '[always] [madvise] never',
      'always [inherit] never',
      '[never] madvise always',
      '',
    ])
      expect(parseRead(file('enabled'), text), text).toBe(null);
    for (const text of ['512', '-1', '+1', 'x', '', '1 2', '99999999999999999999'])
      expect(parseRead(file('khugepaged/max_ptes_none'), text), text).toBe(null);
  });
});
