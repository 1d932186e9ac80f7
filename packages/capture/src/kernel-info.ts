// The machine around the process: kernel release, page sizes, memory, and the THP settings as sysfs shows them.
import { type Dirent, readdirSync, statSync } from 'node:fs';
import { machine as osMachine, release as osRelease } from 'node:os';
import { readTextOrNull } from './proc-files.js';
import type { FreeBlocks, SnapshotKernel } from './snapshot.js';

const THP_DIRECTORY = 'kernel/mm/transparent_hugepage';
const MAX_SETTING_FILES = 1000;

/**
 * Reads what a snapshot says about the kernel. What cannot be read is left empty or null.
 *
 * @param procRoot '/proc'
 * @param sysRoot '/sys'
 * @param pageSize bytes in a base page.
 */
export function readKernelInfo(procRoot: string, sysRoot: string, pageSize: number): SnapshotKernel {
  const meminfo = readTextOrNull(`${procRoot}/meminfo`) ?? '';
  return {
    release: readTextOrNull(`${procRoot}/sys/kernel/osrelease`)?.trim() ?? osRelease(),
    machine: readTextOrNull(`${procRoot}/sys/kernel/arch`)?.trim() ?? osMachine(),
    pageSize,
    pmdOrder: pmdOrder(readTextOrNull(`${sysRoot}/${THP_DIRECTORY}/hpage_pmd_size`), pageSize),
    thp: readSettings(`${sysRoot}/${THP_DIRECTORY}`),
    memTotalKb: meminfoKb(meminfo, 'MemTotal'),
    memFreeKb: meminfoKb(meminfo, 'MemFree'),
    freeBlocks: parseBuddyinfo(readTextOrNull(`${procRoot}/buddyinfo`) ?? ''),
  };
}

/** Order of a PMD-sized folio from the text of hpage_pmd_size; without it, a table of 8-byte entries that fills one page. */
export function pmdOrder(hpagePmdSize: string | null, pageSize: number): number {
  const bytes = Number(hpagePmdSize?.trim());
  const order = Math.log2(bytes / pageSize);
  return Number.isInteger(order) && order > 0 && order < 20 ? order : Math.log2(pageSize / 8);
}

/**
 * The writable files below a sysfs directory: relative path to text without its last newline. Read-only files are
 * counters (stats, full_scans, ...), which belong to the machine's past and not to its settings.
 */
export function readSettings(directory: string): Record<string, string> {
  const found: [string, string][] = [];
  const visit = (relative: string): void => {
    for (const entry of listDirectory(`${directory}/${relative}`)) {
      const path = relative === '' ? entry.name : `${relative}/${entry.name}`;
      if (entry.isDirectory()) visit(path);
      else if (entry.isFile() && found.length < MAX_SETTING_FILES && isWritable(`${directory}/${path}`)) {
        const text = readTextOrNull(`${directory}/${path}`);
        if (text !== null) found.push([path, text.replace(/\n$/, '')]);
      }
    }
  };
  visit('');
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function listDirectory(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch {
    return [];
  }
}

function isWritable(path: string): boolean {
  try {
    return (statSync(path).mode & 0o222) !== 0;
  } catch {
    return false;
  }
}

function meminfoKb(text: string, field: string): number | null {
  const match = new RegExp(`^${field}: +([0-9]+) kB$`, 'm').exec(text);
  return match === null ? null : Number(match[1]);
}

/** Parses /proc/buddyinfo: per node and zone the free blocks of each order. */
export function parseBuddyinfo(text: string): FreeBlocks[] {
  const zones: FreeBlocks[] = [];
  for (const line of text.split('\n')) {
    const match = /^Node ([0-9]+), zone +(\S+) +([0-9 ]+)$/.exec(line);
    if (match === null) continue;
    zones.push({ node: Number(match[1]), zone: match[2], blocks: match[3].trim().split(/ +/).map(Number) });
  }
  return zones;
}
