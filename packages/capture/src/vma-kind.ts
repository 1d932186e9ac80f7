// From a line of smaps to a VMA of the snapshot: what kind of memory it is, and how much of its name is kept.
import type { MapsEntry } from './smaps.js';
import type { VmaKind } from './snapshot.js';

/**
 * How much of the names of mappings (and of the process) a snapshot keeps. 'base' drops the directories of paths, 'none' also
 * the file names, the labels of named anonymous memory and the command name; the kernel's own names ([heap], [stack],
 * [vdso]) always stay.
 */
export type NameDetail = 'full' | 'base' | 'none';

const KERNEL_SPECIAL = /^\[(vdso|vvar|vvar_vclock|vsyscall|sigpage|vectors|uprobes)\]$/;
const KERNEL_NAMES = /^\[[a-z_]+(:[0-9]+)?\]$/;
const UNLINKED_SHMEM = /^\/(memfd:|SYSV[0-9a-f]{8}|dev\/zero \(deleted\))/;

/**
 * The kind of a VMA.
 * @param tmpfsDevices 'major:minor' (as maps prints it, hexadecimal) of the mounted tmpfs file systems.
 */
export function vmaKind(entry: MapsEntry, tmpfsDevices: ReadonlySet<string>): VmaKind {
  const flags = entry.vmFlags;
  if (flags.includes('ht')) return 'hugetlb';
  if (KERNEL_SPECIAL.test(entry.name) || flags.includes('pf') || flags.includes('io')) return 'special';
  if (entry.name.startsWith('[anon_shmem:')) return 'shmem';
  if (entry.inode === '0') return 'anon';
  // A private mapping of /dev/zero is anonymous memory with a file's name.
  if (entry.name === '/dev/zero' && entry.perms[3] === 'p') return 'anon';
  if (UNLINKED_SHMEM.test(entry.name) || tmpfsDevices.has(entry.dev)) return 'shmem';
  return 'file';
}

/** The devices of tmpfs and devtmpfs in /proc/PID/mountinfo, written as maps writes them. */
export function tmpfsDevices(mountinfo: string): Set<string> {
  const devices = new Set<string>();
  for (const line of mountinfo.split('\n')) {
    const match = /^[0-9]+ [0-9]+ ([0-9]+):([0-9]+) .* - (tmpfs|devtmpfs) /.exec(line);
    if (match !== null) devices.add(`${hexByte(match[1])}:${hexByte(match[2])}`);
  }
  return devices;
}

function hexByte(decimal: string): string {
  return Number(decimal).toString(16).padStart(2, '0');
}

/** The part of a mapping's name that is kept. */
export function keptName(name: string, detail: NameDetail): string {
  if (name === '' || detail === 'full' || KERNEL_NAMES.test(name)) return name;
  if (detail === 'none') return '';
  return name.startsWith('/') ? name.slice(name.lastIndexOf('/') + 1) : name;
}
