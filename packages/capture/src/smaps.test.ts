import { describe, expect, it } from 'vitest';
import { CaptureError } from './errors.js';
import { parseSmaps } from './smaps.js';
import { vmFlagName } from './vm-flags.js';

const SMAPS = `7f2c8c000000-7f2c8c200000 rw-p 00000000 00:00 0 
Size:               2048 kB
KernelPageSize:        4 kB
MMUPageSize:           4 kB
Rss:                2048 kB
Shared_Clean:          0 kB
Private_Dirty:      2048 kB
AnonHugePages:      2048 kB
Swap:                 12 kB
ProtectionKey:         0
SomethingNew:          7 kB
THPeligible:           1
VmFlags: rd wr mr mw me ac hg 
7f2c9d400000-7f2c9d401000 r-xp 00002000 fe:01 260131                     /opt/my app/lib.so (deleted)
Size:                  4 kB
Rss:                   4 kB
VmFlags: rd ex mr mw me 
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
`;

describe('parseSmaps', () => {
  it('reads ranges, permissions, fields, flags and eligibility', () => {
    const [anon, file] = parseSmaps(SMAPS);
    expect(anon).toEqual({
      start: 0x7f2c8c000000,
      end: 0x7f2c8c200000,
      perms: 'rw-p',
      offset: 0,
      dev: '00:00',
      inode: '0',
      name: '',
      fieldsKb: {
        KernelPageSize: 4,
        MMUPageSize: 4,
        Rss: 2048,
        Shared_Clean: 0,
        Private_Dirty: 2048,
        AnonHugePages: 2048,
        Swap: 12,
      },
      vmFlags: ['rd', 'wr', 'mr', 'mw', 'me', 'ac', 'hg'],
      thpEligible: true,
    });
    expect(file).toMatchObject({ offset: 0x2000, dev: 'fe:01', inode: '260131', thpEligible: null });
  });

  it('keeps names with blanks whole', () => {
    expect(parseSmaps(SMAPS)[1].name).toBe('/opt/my app/lib.so (deleted)');
  });

  it('gives the vsyscall page its exact page number', () => {
    expect(parseSmaps(SMAPS)[2].start / 4096).toBe(0xffffffffff600);
  });

  it('reads maps, which has the heads alone', () => {
    const maps = SMAPS.split('\n')
      .filter((line) => /^[0-9a-f]/.test(line))
      .join('\n');
    expect(parseSmaps(maps).map((entry) => entry.perms)).toEqual(['rw-p', 'r-xp', '--xp']);
  });

  it('has nothing to say about a process without memory', () => {
    expect(parseSmaps('')).toEqual([]);
  });

  it.each(['Rss: 4 kB\n', 'garbage\n', '7f00-7f01 rw-p\n'])('refuses text that is not smaps: %j', (text) => {
    expect(() => parseSmaps(text)).toThrow(CaptureError);
  });
});

describe('vmFlagName', () => {
  it('gives the name of the kernel, or the mnemonic when it has none', () => {
    expect(['hg', 'nh', 'ht', 'zz', 'constructor'].map(vmFlagName)).toEqual([
      'VM_HUGEPAGE',
      'VM_NOHUGEPAGE',
      'VM_HUGETLB',
      'zz',
      'constructor',
    ]);
  });
});
