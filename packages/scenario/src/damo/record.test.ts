import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DAMO_MAX,
  damoBytes,
  damoTime,
  damoTimeExact,
  parseDamoBytes,
  parseDamoCount,
  parseDamoRatio,
  parseDamoTime,
} from './number-text.js';
import { readDamoRecord } from './read-record.js';
import type { DamonRecord } from './record.js';
import { DamoRecordError } from './record-error.js';
import { EXAMPLE_RECORD, EXAMPLE_TRACE } from './testing/example-record.js';
import { writeDamoRecord } from './write-record.js';

describe("damo's numbers (DAMON spec 8.2)", () => {
  it.each([
    ['4K', 4096],
    ['2M', 2097152],
    ['2MB', 2097152],
    ['2 MiB', 2097152],
    ['2.000 MiB', 2097152],
    ['1T', 2 ** 40],
    ['1,024', 1024],
    ['0 B', 0],
    ['max', DAMO_MAX],
    ['min', 0],
    ['0x1000', null],
    ['', null],
    ['2 MiBs', null],
    ['1,02', null],
  ])('%j is %j bytes', (text, bytes) => expect(parseDamoBytes(text)).toBe(bytes));

  it.each([
    ['2 m 3 s', 123e9],
    ['3 d 2 h', 266_400e9],
    ['1.5 s', 1.5e9],
    ['5 ms', 5e6],
    ['100 us', 1e5],
    ['0 ns', 0],
    ['7', 7000],
    ['max', DAMO_MAX],
    ['5 parsecs', null],
    ['ms', null],
    ['5 ms x', null],
  ])('%j is %j ns, bare numbers being microseconds', (text, ns) => expect(parseDamoTime(text, 1e3)).toBe(ns));

  it('a percentage goes into any unit, a bare number is in the own one', () => {
    expect([100, 1000, 10_000].map((unit) => parseDamoRatio('5 %', unit))).toEqual([5, 50, 500]);
    expect([100, 1000, 10_000].map((unit) => parseDamoRatio('50', unit))).toEqual([50, 50, 50]);
    expect(parseDamoRatio('0.1 %', 1000)).toBe(1);
    expect(parseDamoRatio('five', 100)).toBeNull();
    expect(parseDamoCount('1,000')).toBe(1000);
  });

  it('are printed as damo prints them', () => {
    expect([0, 123_456, 2 ** 21, 2 ** 64].map(damoBytes)).toEqual(['0 B', '120.562 KiB', '2.000 MiB', 'max']);
    expect([123_456, 1e8, 0, 266_400e9].map(damoTime)).toEqual(['123.456 us', '100 ms', '0 ns', '74 h']);
    expect([123_456, 123e9, 0, 266_400e9].map(damoTimeExact)).toEqual(['123 us 456 ns', '2 m 3 s', '0 ns', '3 d 2 h']);
  });

  it('exact times are read back as they were', () => {
    fc.assert(fc.property(fc.nat(2 ** 40), (ns) => parseDamoTime(damoTimeExact(ns), 1) === ns));
  });
});

describe('records (DAMON spec 8.4)', () => {
  it('are read from JSON', () => {
    const [record] = readDamoRecord(JSON.stringify(EXAMPLE_RECORD));
    expect(record).toMatchObject({
      target: 4242,
      scheme: 0,
      intervals: { sampleNs: 5e6, aggregationNs: 1e8, updateNs: 1e9 },
    });
    expect(record.snapshots).toEqual([
      {
        startNs: 0,
        endNs: 1e8,
        regions: [
          {
            start: 2 ** 21,
            end: 2 ** 22,
            samples: 20,
            percent: 100,
            ageNs: 3e8,
            ageAggregations: 3,
            filterPassedBytes: 0,
          },
          {
            start: 2 ** 22,
            end: 10 * 2 ** 20,
            samples: 0,
            percent: 0,
            ageNs: 1e9,
            ageAggregations: 10,
            filterPassedBytes: 0,
          },
        ],
      },
    ]);
  });

  it('are read back as they were written', () => {
    const records = readDamoRecord(JSON.stringify(EXAMPLE_RECORD));
    expect(readDamoRecord(writeDamoRecord(records))).toEqual(records);
  });

  it('are read from lines of perf script, perf trace and trace-cmd', () => {
    const expected = [{ target: 4242, intervals: null, regions: [20, 0] }];
    const shapes = [
      EXAMPLE_TRACE,
      EXAMPLE_TRACE.replaceAll(/^kdamond.0 {2}4452 \[000\] /gm, 'kdamond.0-4452 [000] ..... '),
      EXAMPLE_TRACE.replaceAll(
        /^.*?(\d+\.\d+): damon:damon_aggregated: (.*)$/gm,
        '$1 kdamond.0/4452 damon:damon_aggregated($2)',
      ),
    ];
    for (const text of shapes) {
      const records = readDamoRecord(text);
      expect(
        records.map(({ target, intervals, snapshots }) => ({
          target,
          intervals,
          regions: snapshots[0].regions.map(({ samples }) => samples),
        })),
      ).toEqual(expected);
    }
  });

  it('of lines: the first snapshot is as long as the mean of the others', () => {
    const line = (seconds: number): string =>
      `kdamond.0 1 [000] ${seconds}.000000: damon:damon_aggregated: target_id=7 nr_regions=1 0-4096: 1 2`;
    const [record] = readDamoRecord([line(100), line(102), line(106)].join('\n'));
    expect(record.snapshots.map(({ startNs, endNs }) => [startNs / 1e9, endNs / 1e9])).toEqual([
      [97, 100],
      [100, 102],
      [102, 106],
    ]);
  });
});

describe('a record that is wrong', () => {
  const edited = (edit: (record: typeof EXAMPLE_RECORD) => void): string => {
    const copy = structuredClone(EXAMPLE_RECORD);
    edit(copy);
    return JSON.stringify(copy, null, 2);
  };

  it.each<[string, string, string, RegExp]>([
    ['cut off', JSON.stringify(EXAMPLE_RECORD).slice(0, 100), '[', /no JSON/],
    ['another document', '{"kdamonds": []}', '{', /the record: .*expected array/i],
    ['no snapshots', '[{"target_id": 5}]', '[', /\[0\].snapshots: /],
    [
      'a region backwards',
      edited((r) => {
        r[0].snapshots[0].regions[1].end = '1';
      }),
      '"end": "1"',
      /\[0\].snapshots\[0\].regions\[1\].end: the end 1 is before/,
    ],
    [
      'a time backwards',
      edited((r) => {
        r[0].snapshots[0].end_time = '-5';
      }),
      '"end_time": "-5"',
      /end_time/,
    ],
    [
      'an interval of nothing',
      edited((r) => {
        r[0].intervals.aggr_us = '0 ns';
      }),
      '"aggr_us": "0 ns"',
      /longer than 0/,
    ],
    [
      'no number',
      edited((r) => {
        r[0].snapshots[0].regions[0].start = 'here';
      }),
      '"here"',
      /"here" is not an address/,
    ],
    ['a line of something else', `${EXAMPLE_TRACE}\nhello`, 'hello', /no event of DAMON/],
    ['no line', '', '', /no snapshot/],
  ])('%s: says where and why', (_, text, marker, message) => {
    const line = text.slice(0, text.indexOf(marker)).split('\n').length;
    const error = thrown(() => readDamoRecord(text));
    expect(error).toBeInstanceOf(DamoRecordError);
    expect((error as DamoRecordError).message).toMatch(message);
    expect((error as DamoRecordError).line).toBe(line);
  });

  it('never gives anything but records or a DamoRecordError', () => {
    const seeds = [JSON.stringify(EXAMPLE_RECORD), EXAMPLE_TRACE];
    const mutation = fc.record({
      seed: fc.constantFrom(...seeds),
      at: fc.nat(700),
      drop: fc.nat(20),
      insert: fc.oneof(
        fc.string({ maxLength: 8, unit: 'binary' }),
        fc.constantFrom('"', '{', '}', ']', ',', '-1', 'null', '1e999', '\n'),
      ),
    });
    fc.assert(
      fc.property(mutation, ({ seed, at, drop, insert }) => {
        const text = seed.slice(0, at) + insert + seed.slice(at + drop);
        let records: DamonRecord[];
        try {
          records = readDamoRecord(text);
        } catch (error) {
          expect(error).toBeInstanceOf(DamoRecordError);
          return;
        }
        for (const { snapshots } of records) {
          for (const { regions } of snapshots)
            for (const { start, end } of regions) expect(end).toBeGreaterThanOrEqual(start);
        }
      }),
      { numRuns: 10_000 },
    );
  });
});

function thrown(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}
