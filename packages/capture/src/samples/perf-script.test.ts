import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ImportError } from './errors.js';
import { chooseEvent, type PerfSamples, type PerfScriptOptions, readPerfSamples } from './perf-script.js';

function read(text: string, options?: PerfScriptOptions): PerfSamples {
  return readPerfSamples(text.split('\n'), options);
}

/** Pages of the event that is chosen, with their samples. */
function pages(samples: PerfSamples, which: 'virtual' | 'physical' | 'instructions'): Record<string, number> {
  const event = chooseEvent(samples);
  return Object.fromEntries([...(event?.[which].entries() ?? [])].map(([page, count]) => [page.toString(16), count]));
}

describe('forms of perf script', () => {
  it('without address fields a sample has the address of its instruction only', () => {
    const samples = read('  oracle 4242 [012] 1234.567890:   1  memory:  ffff8ab4c0de addr_fn+0x10 (/usr/bin/oracle)');
    expect(pages(samples, 'instructions')).toEqual({ ffff8ab4c: 1 });
    expect(pages(samples, 'virtual')).toEqual({});
    expect(samples.processes).toEqual([[4242, 1]]);
  });

  it('with addr, phys_addr, weight and data_src the physical address is told by its last twelve bits', () => {
    const text = [
      'oracle 4242 [012] 1234.567890: 1 memory: ffff8ab4c0de 2081f34c0de 24 68100142 |OP LOAD|LVL L1 hit|SNP None|TLB L1 or L2 hit|LCK No|BLK  N/A',
      'oracle 4242 [012] 1234.567891: 1 memory: ffff8ab4d010 68100142 |OP LOAD|LVL L1 hit|SNP N/A|TLB Walker hit|LCK No|BLK N/A 31 2081f34d010',
      'oracle 4242 [012] 1234.567892: 1 memory: 0xffff8ab4d018 0x2081f34d018',
    ].join('\n');
    const samples = read(text);
    expect(pages(samples, 'virtual')).toEqual({ ffff8ab4c: 1, ffff8ab4d: 2 });
    expect(pages(samples, 'physical')).toEqual({ '2081f34c': 1, '2081f34d': 2 });
  });

  it('phys_addr alone is one number per line; 0 is no address', () => {
    const samples = read('   2081f34c0de\n      2081f34c0e0\n                0\n');
    expect(pages(samples, 'physical')).toEqual({ '2081f34c': 2 });
    expect(samples.unknownPhysical).toBe(1);
  });

  it('comm, pid, time, event, addr, phys_addr; a command may have blanks, and pid may be pid/tid', () => {
    const samples = read(
      [
        'Web Content 77 1234.567890: memory: 7f0012345678 99945678',
        'java 4242/4250 1234.567891: memory: 7f0012345680 0',
      ].join('\n'),
    );
    expect(pages(samples, 'virtual')).toEqual({ '7f0012345': 2 });
    expect(pages(samples, 'physical')).toEqual({ '99945': 1 });
    expect(samples.processes).toEqual([
      [77, 1],
      [4242, 1],
    ]);
    expect(samples.unknownPhysical).toBe(1);
  });

  it('the raw dump of perf mem names its columns in its head', () => {
    const text = [
      '# PID, TID, IP, ADDR, PHYS ADDR, LOCAL WEIGHT, DSRC, SYMBOL',
      '4242, 4242, 0xaaaadeadbeef, 0xffff8ab4c0de, 0x2081f34c0de, 24, 0x68100142, addr_fn',
      '4242  4243  0xaaaadeadbeef  0xffff8ab4d0de  0x2081f34d0de  24  0x68100142  addr_fn',
    ].join('\n');
    const samples = read(text);
    expect(pages(samples, 'virtual')).toEqual({ ffff8ab4c: 1, ffff8ab4d: 1 });
    expect(pages(samples, 'physical')).toEqual({ '2081f34c': 1, '2081f34d': 1 });
    const without = read('# PID, TID, IP, ADDR, LOCAL WEIGHT, DSRC, SYMBOL\n4242,4242,0xaaaa,0xffff8ab4c0de,24,0x1,f');
    expect(pages(without, 'virtual')).toEqual({ ffff8ab4c: 1 });
    expect(pages(without, 'physical')).toEqual({});
  });

  it('blocks that other tools have counted', () => {
    const samples = read('PFN 0x12345600 25\n0x7f0012200000 0x7f0012400000 3\n');
    expect(samples.physicalBlocks).toEqual([{ startPage: 0x12345600, hotPercent: 25 }]);
    expect(samples.virtualBlocks).toEqual([{ startPage: 0x7f0012200, hotPercent: 3 }]);
  });

  it('call chains and comments are passed over', () => {
    const samples = read(
      [
        '# captured on: yesterday',
        'app 5 [000] 1.000000: 1 memory: 7f0012345678 99945678',
        '\t    7f0011111111 main+0x10 (/usr/bin/app)',
        '',
      ].join('\n'),
    );
    expect(pages(samples, 'virtual')).toEqual({ '7f0012345': 1 });
  });
});

describe('what is counted', () => {
  it('one sample under several events is counted under one: memory, if it is there', () => {
    const line = (event: string): string => `app 5 [000] 1.000000: 1 ${event}: 7f0012345678 99945678`;
    const samples = read([line('l1d-access'), line('l1d-access'), line('tlb-access'), line('memory')].join('\n'));
    expect(chooseEvent(samples)).toMatchObject({ event: 'memory', samples: 1 });
    expect(chooseEvent(samples, 'tlb-access')).toMatchObject({ samples: 1 });
    expect(chooseEvent(samples, 'llc-miss')).toBeUndefined();
    expect(chooseEvent(read([line('l1d-miss'), line('tlb-miss'), line('tlb-miss')].join('\n')))?.event).toBe(
      'tlb-miss',
    );
  });

  it('other processes and addresses of the kernel are left out and counted', () => {
    const samples = read(
      [
        'app 5 1.000000: memory: 7f0012345678 99945678',
        'app 6 1.000000: memory: 7f0012345678 99945678',
        'app 5 1.000001: memory: ffff800012345678 12345678',
      ].join('\n'),
      { process: 5 },
    );
    expect(samples.otherProcesses).toBe(1);
    expect(samples.kernelAddresses).toBe(1);
    expect(pages(samples, 'virtual')).toEqual({ '7f0012345': 1 });
  });

  it('pages are as large as told', () => {
    const samples = read('app 5 1.000000: memory: 7f0012345678 0', { pageSize: 65536 });
    expect(pages(samples, 'virtual')).toEqual({ '7f001234': 1 });
  });
});

describe('a text that is something else', () => {
  it('is refused with line, column and what would be right', () => {
    const text = 'app 5 1.000000: memory: 7f0012345678 0\n  total nonsense here';
    const error = thrown(() => read(text));
    expect(error).toBeInstanceOf(ImportError);
    expect(error).toMatchObject({ line: 2, column: 3, message: expect.stringContaining('perf script -F') });
    expect(read(text, { skipBadLines: true }).badLines).toBe(1);
  });

  it('never does anything but give samples or an ImportError', () => {
    const seeds = [
      'oracle 4242 [012] 1234.567890: 1 memory: ffff8ab4c0de 2081f34c0de 24 68100142 |OP LOAD|LVL L1 hit|BLK  N/A',
      '   2081f34c0de',
      '# PID, TID, IP, ADDR, PHYS ADDR, LOCAL WEIGHT, DSRC, SYMBOL\n1, 2, 0x3, 0x4000, 0x5000, 6, 0x7, f',
      'PFN 0x12345600 25\n0x7f0012200000 0x7f0012400000 3',
    ];
    const mutation = fc.record({
      seed: fc.constantFrom(...seeds),
      at: fc.nat(120),
      drop: fc.nat(12),
      insert: fc.oneof(
        fc.string({ maxLength: 6, unit: 'binary' }),
        fc.constantFrom(':', ' ', '\n', '0x', ',', '|', '[', '\t'),
      ),
    });
    fc.assert(
      fc.property(mutation, ({ seed, at, drop, insert }) => {
        const text = seed.slice(0, at) + insert + seed.slice(at + drop);
        try {
          const samples = read(text);
          for (const { virtual } of samples.events) {
            for (const [page] of virtual.entries()) expect(Number.isSafeInteger(page) && page >= 0).toBe(true);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(ImportError);
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
