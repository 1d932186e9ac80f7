import { Random } from '@thplab/arena';
import { describe, expect, it } from 'vitest';
import { MasimError, parseMasim } from './masim.js';

const GOOD = `#regions
# name, length, initial data file
a, 256, none
b, 64
c, 128

# phase 1
example phase 1
# time in ms
1000
a, 1, 64, 80, wo

# only a comment

example phase 2
2000
c, 1, 64, 50, ro
b, 0, 4096, 50, rw
a, 0, 1, 0
`;

describe('a masim configuration', () => {
  it('has regions, then phases with patterns; comments and data files do not matter', () => {
    expect(parseMasim(GOOD)).toEqual({
      regions: [
        { name: 'a', bytes: 256 },
        { name: 'b', bytes: 64 },
        { name: 'c', bytes: 128 },
      ],
      phases: [
        {
          name: 'example phase 1',
          milliseconds: 1000,
          patterns: [{ region: 'a', random: true, stride: 64, weight: 80, mode: 'wo' }],
        },
        {
          name: 'example phase 2',
          milliseconds: 2000,
          patterns: [
            { region: 'c', random: true, stride: 64, weight: 50, mode: 'ro' },
            { region: 'b', random: false, stride: 4096, weight: 50, mode: 'rw' },
            // Without a mode masim writes.
            { region: 'a', random: false, stride: 1, weight: 0, mode: 'wo' },
          ],
        },
      ],
    });
  });

  it('may have the line ends of Windows, and none at its end', () => {
    expect(parseMasim(GOOD.trimEnd().replaceAll('\n', '\r\n'))).toEqual(parseMasim(GOOD));
  });

  it.each([
    ['', 'zigzag.cfg:1:1: the file is empty; expected a paragraph of regions'],
    ['a, 256', 'zigzag.cfg:1:1: there is no phase; expected an empty line'],
    ['a', 'zigzag.cfg:1:1: a region of 1 fields; expected "name, bytes"'],
    ['a, many', 'zigzag.cfg:1:4: "many" is no such number; expected bytes, a whole number from 1 to'],
    ['a, 0', 'zigzag.cfg:1:4: "0" is no such number'],
    [', 12', 'zigzag.cfg:1:1: a region without a name'],
    ['a, 1\na, 2', 'zigzag.cfg:2:1: two regions are called "a"'],
    ['a, 1\n\nphase', 'zigzag.cfg:3:1: the phase "phase" has 1 lines; expected'],
    ['a, 1\n\nphase\n10', 'zigzag.cfg:3:1: the phase "phase" has 2 lines'],
    ['a, 1\n\nphase\nsoon\na, 1, 64, 1', 'zigzag.cfg:4:1: "soon" is no such number; expected milliseconds'],
    ['a, 1\n\nphase\na, 1, 64, 1\na, 1, 64, 1', 'zigzag.cfg:4:4: "1" follows the time'],
    ['a, 1\n\nphase\n10\na, 1, 64', 'zigzag.cfg:5:1: a pattern of 3 fields; expected'],
    ['a, 1\n\nphase\n10\nb, 1, 64, 1', 'zigzag.cfg:5:1: there is no region "b"; the file defines a'],
    ['a, 1\n\nphase\n10\na, 2, 64, 1', 'zigzag.cfg:5:4: "2" is no such number; expected 1 (random) or 0 (in turn)'],
    ['a, 1\n\nphase\n10\na, 1, 0, 1', 'zigzag.cfg:5:7: "0" is no such number'],
    ['a, 1\n\nphase\n10\na, 1, 64, 1, xo', 'zigzag.cfg:5:14: "xo" is no way to access; expected ro, wo or rw'],
  ])('that is wrong is refused at its place: %j', (text, message) => {
    expect(() => parseMasim(text, 'zigzag.cfg')).toThrow(MasimError);
    expect(() => parseMasim(text, 'zigzag.cfg')).toThrow(message);
  });

  it('changed anywhere gives a configuration or an error with a place inside of the text', () => {
    const random = new Random(11);
    const letters = '\n\n\n,,,#ab019 -.x\t\r\u0000é';
    const lines = GOOD.split('\n').length + 20;
    for (let i = 0; i < 10_000; i++) {
      let text = GOOD;
      for (let change = 0; change < 1 + random.below(4); change++) {
        const at = random.below(text.length + 1);
        const cut = random.below(3) === 0 ? random.below(20) : random.below(2);
        text = text.slice(0, at) + letters[random.below(letters.length)] + text.slice(at + cut);
      }
      try {
        expect(parseMasim(text).phases.length).toBeGreaterThan(0);
      } catch (error) {
        if (!(error instanceof MasimError)) throw error;
        expect(error.line >= 1 && error.line <= lines && error.column >= 1).toBe(true);
      }
    }
  });
});
