import { describe, expect, it } from 'vitest';
import type { MapsEntry } from './smaps.js';
import { keptName, tmpfsDevices, vmaKind } from './vma-kind.js';

const TMPFS = new Set(['00:17']);

function entry(over: Partial<MapsEntry>): MapsEntry {
  return {
    start: 0,
    end: 4096,
    perms: 'rw-p',
    offset: 0,
    dev: '00:00',
    inode: '0',
    name: '',
    fieldsKb: {},
    vmFlags: [],
    thpEligible: null,
    ...over,
  };
}

describe('vmaKind', () => {
  it.each<[string, Partial<MapsEntry>, string]>([
    ['plain anonymous memory', {}, 'anon'],
    ['the heap', { name: '[heap]' }, 'anon'],
    ['named anonymous memory', { name: '[anon:arena]' }, 'anon'],
    ['a private mapping of /dev/zero', { name: '/dev/zero', inode: '4', dev: '00:06' }, 'anon'],
    ['shared anonymous memory', { name: '/dev/zero (deleted)', inode: '3', perms: 'rw-s' }, 'shmem'],
    ['named shared anonymous memory', { name: '[anon_shmem:x]', inode: '3' }, 'shmem'],
    ['a memfd', { name: '/memfd:x (deleted)', inode: '9', dev: '00:01' }, 'shmem'],
    ['a SysV segment', { name: '/SYSV0000002a (deleted)', inode: '9', dev: '00:01' }, 'shmem'],
    ['a file on tmpfs', { name: '/dev/shm/x', inode: '9', dev: '00:17' }, 'shmem'],
    ['a file on disk', { name: '/usr/bin/cat', inode: '9', dev: 'fe:00' }, 'file'],
    ['the hugetlb pool', { name: '/anon_hugepage (deleted)', inode: '9', vmFlags: ['rd', 'ht'] }, 'hugetlb'],
    ['[vdso]', { name: '[vdso]' }, 'special'],
    ['device memory', { name: '/dev/mem', inode: '9', vmFlags: ['pf', 'io'] }, 'special'],
  ])('%s', (_name, over, kind) => {
    expect(vmaKind(entry(over), TMPFS)).toBe(kind);
  });
});

describe('tmpfsDevices', () => {
  it('takes tmpfs and devtmpfs mounts, in the spelling of maps', () => {
    const text =
      '24 27 0:6 / /dev rw - devtmpfs dev rw\n25 24 0:23 / /dev/shm rw shared:2 - tmpfs tmpfs rw\n26 1 254:0 / / rw - ext4 /dev/vda rw\n';
    expect([...tmpfsDevices(text)]).toEqual(['00:06', '00:17']);
  });
});

describe('keptName', () => {
  it.each([
    ['/home/me/secret/lib.so', '/home/me/secret/lib.so', 'lib.so', ''],
    ['[heap]', '[heap]', '[heap]', '[heap]'],
    ['[stack:123]', '[stack:123]', '[stack:123]', '[stack:123]'],
    ['[anon:my label]', '[anon:my label]', '[anon:my label]', ''],
    ['', '', '', ''],
  ])('%s', (name, full, base, none) => {
    expect([keptName(name, 'full'), keptName(name, 'base'), keptName(name, 'none')]).toEqual([full, base, none]);
  });
});
