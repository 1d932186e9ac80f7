import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kstrtobool, kstrtouint, kstrtoul, sysfsStreq } from './kstrto.js';

const einval = { ok: false, errno: 'EINVAL' };
const erange = { ok: false, errno: 'ERANGE' };

describe('kstrtoul and kstrtouint', () => {
  it.each([
    ['0', 0n],
    ['511\n', 511n],
    ['+7', 7n],
    ['+7\n', 7n],
    ['007', 7n],
    [`${'0'.repeat(50)}5`, 5n],
    ['4294967295', 4294967295n],
    ['12\0rubbish', 12n],
  ])('%j is a number', (text, value) => {
    expect(kstrtoul(text)).toEqual({ ok: true, value });
    expect(kstrtouint(text)).toEqual({ ok: true, value });
  });

  it.each([
    '',
    '\n',
    '+',
    '+\n',
    '++1',
    '-1',
    '-0',
    ' 1',
    '1 ',
    '1\n\n',
    '1\r\n',
    '0x10',
    '1e3',
    '1_000',
    '1.0',
    '٣',
    '\x001',
  ])('%j is no number', (text) => {
    expect(kstrtoul(text)).toEqual(einval);
    expect(kstrtouint(text)).toEqual(einval);
  });

  it('overflow is ERANGE at 2^64 and 2^32, and comes before rubbish after the digits only at 2^64', () => {
    expect(kstrtoul('18446744073709551615')).toEqual({ ok: true, value: 2n ** 64n - 1n });
    expect(kstrtoul('18446744073709551616')).toEqual(erange);
    expect(kstrtoul('18446744073709551616x')).toEqual(erange);
    expect(kstrtoul('9'.repeat(100_000))).toEqual(erange);
    expect(kstrtouint('4294967296')).toEqual(erange);
    expect(kstrtouint('4294967296x')).toEqual(einval);
  });

  it('reads back every decimal number of its width', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.boolean(), fc.boolean(), (value, plus, newline) => {
        const text = `${plus ? '+' : ''}${value}${newline ? '\n' : ''}`;
        expect(kstrtoul(text)).toEqual({ ok: true, value });
        expect(kstrtouint(text)).toEqual(value < 2n ** 32n ? { ok: true, value } : erange);
      }),
    );
  });
});

describe('kstrtobool', () => {
  it('takes the first letter, and the second of on and off', () => {
    for (const text of ['1', 'y', 'Y', 'yes\n', 't', 'True', 'on', 'ON', 'oN\n', 'yoghurt', '1000'])
      expect(kstrtobool(text, false), text).toBe(true);
    for (const text of ['0', 'n', 'N', 'no', 'f', 'False\n', 'off', 'OF', 'oF', '01'])
      expect(kstrtobool(text, false), text).toBe(false);
    for (const text of ['', '\n', 'o', 'ox', '2', ' 1', '-1', '\0y', 'x'])
      expect(kstrtobool(text, true), text).toBe(null);
  });

  it('knows enabled and disabled on newer kernels only', () => {
    expect(kstrtobool('enabled', true)).toBe(true);
    expect(kstrtobool('Disabled\n', true)).toBe(false);
    expect(kstrtobool('enabled', false)).toBe(null);
    expect(kstrtobool('d', false)).toBe(null);
  });
});

describe('sysfs_streq', () => {
  it('forgives one newline at the end and nothing else', () => {
    expect(sysfsStreq('always', 'always')).toBe(true);
    expect(sysfsStreq('always\n', 'always')).toBe(true);
    for (const text of ['always\n\n', 'Always', ' always', 'always ', 'alway', 'always never', '[always]', ''])
      expect(sysfsStreq(text, 'always'), text).toBe(false);
  });
});
