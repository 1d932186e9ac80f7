import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as units from './units.js';

describe('parseSize', () => {
  it.each([
    ['4K', 4096],
    ['64kB', 65536],
    ['64K', 65536],
    ['64 KiB', 65536],
    ['2M', 2 ** 21],
    ['1.5G', 1.5 * 2 ** 30],
    ['1GiB', 2 ** 30],
    ['2T', 2 ** 41],
    ['512', 512],
    ['512B', 512],
    [4096, 4096],
    ['0', 0],
  ])('%j is %d bytes', (text, bytes) => {
    expect(units.parseSize(text)).toBe(bytes);
  });

  it.each(['', 'K', '64X', '-4K', '1e3', '0.3', '4 K B', '4Kb/s', '0x10', '1P', ' ', '256T', -1, 0.5, Number.NaN])(
    '%j is no size',
    (text) => {
      expect(units.parseSize(text)).toBeNull();
    },
  );

  it('reads what formatSize prints, for whole units', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1023 }), fc.constantFrom(0, 10, 20, 30), (n, exponent) => {
        expect(units.parseSize(units.formatSize(n * 2 ** exponent))).toBe(n * 2 ** exponent);
      }),
    );
  });
});

describe('parseDuration', () => {
  it.each([
    ['10ms', 10e6],
    ['250us', 250e3],
    ['250µs', 250e3],
    ['1.5s', 1.5e9],
    ['1h', 3600e9],
    ['10min', 600e9],
    ['10m', 600e9],
    ['2d', 2 * 86_400e9],
    ['7ns', 7],
    ['0', 0],
    [0, 0],
  ])('%j is %d ns', (text, ns) => {
    expect(units.parseDuration(text)).toBe(ns);
  });

  it.each(['', '10', 10, '1e3s', '-1s', 's', '1 s s', '200d', '1M'])(
    '%j is no duration: the unit is never guessed',
    (text) => {
      expect(units.parseDuration(text)).toBeNull();
    },
  );

  it('reads what formatDuration prints, for whole units', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 59 }), fc.constantFrom(1, 1e3, 1e6, 1e9, 60e9), (n, unit) => {
        expect(units.parseDuration(units.formatDuration(n * unit))).toBe(n * unit);
      }),
    );
  });
});

describe('parseShare, parseCount, parseAddress', () => {
  it('a share is a number 0..1, a percentage, or a boolean', () => {
    expect([0.25, '0.25', '25%', '99.9 %', 1, '100%', true, false].map(units.parseShare)).toEqual([
      0.25, 0.25, 0.25, 0.9990000000000001, 1, 1, 1, 0,
    ]);
    expect(['101%', 1.1, -0.1, '%', 'half', '1e-3'].map(units.parseShare)).toEqual([
      null,
      null,
      null,
      null,
      null,
      null,
    ]);
  });

  it('a count is a whole number, with decimal units and separators', () => {
    expect([4096, '4096', '10k', '1.5M', '16_384', '16,384', '1,234,567'].map(units.parseCount)).toEqual([
      4096, 4096, 10_000, 1_500_000, 16_384, 16_384, 1_234_567,
    ]);
    expect([1.5, '1.5', -1, '1,23', '10K', '', 2 ** 54, '99999999999999999999'].map(units.parseCount)).toEqual(
      Array(8).fill(null),
    );
  });

  it('an address is hexadecimal text or a number below 2^47', () => {
    expect(units.parseAddress('0x7f0000000000')).toBe(0x7f0000000000);
    expect(units.parseAddress(0x1000)).toBe(4096);
    expect(['7f00', '0x', '0xffffffffffff', '0xg', -1].map(units.parseAddress)).toEqual(Array(5).fill(null));
  });
});

describe('parseBound', () => {
  it.each([
    ['32', { min: 32, max: 32 }],
    [32, { min: 32, max: 32 }],
    ['>= 10', { min: 10, max: null }],
    ['≥10', { min: 10, max: null }],
    ['<= 2k', { min: null, max: 2000 }],
    ['> 10', { min: 11, max: null }],
    ['< 10', { min: null, max: 9 }],
    ['1..5', { min: 1, max: 5 }],
    ['1 .. 5', { min: 1, max: 5 }],
  ])('%j bounds a count', (text, bound) => {
    expect(units.parseBound(text, units.parseCount, 1)).toEqual(bound);
  });

  it.each(['', '>=', '5..1', '..', '1..', '>= 1 2', '=> 3', 'many'])('%j is no bound', (text) => {
    expect(units.parseBound(text, units.parseCount, 1)).toBeNull();
  });

  it('strict bounds exist for whole numbers only', () => {
    expect(units.parseBound('> 50%', units.parseShare)).toBeNull();
    expect(units.parseBound('60M..64M', units.parseSize, 1)).toEqual({ min: 60 * 2 ** 20, max: 64 * 2 ** 20 });
    expect(units.parseBound('0.5..0.6', units.parseShare)).toEqual({ min: 0.5, max: 0.6 });
  });

  it('prints back what it read', () => {
    for (const text of ['32', '>= 10', '<= 2,000', '1..5']) {
      const bound = units.parseBound(text, units.parseCount, 1);
      expect(units.formatBound(bound ?? { min: null, max: null }, units.formatCount)).toBe(text);
    }
    expect(units.formatBound({ min: null, max: null }, units.formatCount)).toBe('anything');
  });
});

describe('printing', () => {
  it('sizes, durations, shares, counts', () => {
    expect([0, 17, 4096, 65536, 2 ** 21, 1.5 * 2 ** 30, -(2 ** 21)].map(units.formatSize)).toEqual([
      '0',
      '17',
      '4K',
      '64K',
      '2M',
      '1.5G',
      '-2M',
    ]);
    expect([0, 1, 1500, 10e6, 90e9, 11.38 * 3600e9].map(units.formatDuration)).toEqual([
      '0',
      '1ns',
      '1.5us',
      '10ms',
      '1.5min',
      '11.38h',
    ]);
    expect([units.formatShare(0.5), units.formatShare(0.99609), units.formatShare(1 / 3, 0)]).toEqual([
      '50%',
      '99.61%',
      '33%',
    ]);
    expect([0, 999, 1000, 1234567, -4096].map(units.formatCount)).toEqual(['0', '999', '1,000', '1,234,567', '-4,096']);
    expect(units.formatKilobytes(2 ** 21)).toBe('2048kB');
    expect(units.formatAddress(0x7f0000000000)).toBe('0x7f0000000000');
  });
});
