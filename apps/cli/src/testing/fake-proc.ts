/** A folder with the shape of /proc and /sys and one process in it, so that captures give the same numbers everywhere. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { folderWith } from './run-cli.js';

export const FAKE_PID = 4242;

const HEAP_VPN = 0x100000;
const HEAP_PAGES = 2048;
const PRESENT = 1n << 63n;
const EXCLUSIVE = 1n << 56n;
/** KPF_LRU, KPF_ANON, KPF_SWAPBACKED */
const ANON = 0x5020n;
const COMPOUND_HEAD = 0x8000n;
const COMPOUND_TAIL = 0x10000n;

const STATUS = `Name:\tfake server
State:\tS (sleeping)
VmSize:\t    8192 kB
VmRSS:\t    2112 kB
THP_enabled:\t1
Threads:\t3
`;

const SMAPS = `100000000-100800000 rw-p 00000000 00:00 0 
Size:               8192 kB
KernelPageSize:        4 kB
MMUPageSize:           4 kB
Rss:                2112 kB
Shared_Clean:          0 kB
Shared_Dirty:          0 kB
Private_Clean:         0 kB
Private_Dirty:      2112 kB
Referenced:         2112 kB
Anonymous:          2112 kB
LazyFree:              0 kB
AnonHugePages:         0 kB
Swap:                  0 kB
THPeligible:           1
VmFlags: rd wr mr mw me ac hg 
`;

/**
 * The process has a heap of 8 MiB: the first 2 MiB range is full of single pages, the second has one 64 KiB folio, the other
 * two are empty.
 */
export function fakeProc(options: { readonly hideFrames?: boolean; readonly smaps?: string } = {}): {
  readonly procRoot: string;
  readonly sysRoot: string;
} {
  const thp = 'sys/kernel/mm/transparent_hugepage';
  const stat = `${FAKE_PID} (fake server) S ${Array.from({ length: 40 }, (_, i) => i).join(' ')}\n`;
  const root = folderWith({
    [`proc/${FAKE_PID}/smaps`]: options.smaps ?? SMAPS,
    [`proc/${FAKE_PID}/status`]: STATUS,
    [`proc/${FAKE_PID}/stat`]: stat,
    [`proc/${FAKE_PID}/mountinfo`]: '',
    'proc/sys/kernel/osrelease': '6.18.0-fake\n',
    'proc/sys/kernel/arch': 'x86_64\n',
    'proc/meminfo': 'MemTotal:       262144 kB\nMemFree:        131072 kB\n',
    'proc/buddyinfo':
      'Node 0, zone   Normal      0      0      0      0      0      0      0      0      0      0     32\n',
    [`${thp}/enabled`]: 'always [madvise] never\n',
    [`${thp}/defrag`]: 'always defer defer+madvise [madvise] never\n',
    [`${thp}/hpage_pmd_size`]: '2097152\n',
    [`${thp}/khugepaged/max_ptes_none`]: '511\n',
  });
  const pages = heapPages();
  const frameBits = (frame: bigint): bigint => (options.hideFrames ? 0n : frame);
  const pagemap = pages.map(([slot, frame]) => [HEAP_VPN + slot, PRESENT | EXCLUSIVE | frameBits(frame)] as const);
  const file = (name: string): string => join(root, 'proc', name);
  writeWords(file(`${FAKE_PID}/pagemap`), pagemap, HEAP_VPN + HEAP_PAGES);
  if (!options.hideFrames) {
    writeWords(
      file('kpageflags'),
      pages.map(([, frame, flags]) => [Number(frame), flags] as const),
    );
    writeWords(
      file('kpagecount'),
      pages.map(([, frame]) => [Number(frame), 1n] as const),
    );
  }
  return { procRoot: join(root, 'proc'), sysRoot: join(root, 'sys') };
}

/** Slot, frame, word of kpageflags. */
function heapPages(): (readonly [slot: number, frame: bigint, flags: bigint])[] {
  const single = (slot: number) => [slot, BigInt(10_000 + 2 * slot), ANON] as const;
  const folio = (slot: number, index: number) =>
    [slot + index, BigInt(4096 + index), ANON | (index === 0 ? COMPOUND_HEAD : COMPOUND_TAIL)] as const;
  return [
    ...Array.from({ length: 512 }, (_, slot) => single(slot)),
    ...Array.from({ length: 16 }, (_, index) => folio(512, index)),
  ];
}

function writeWords(path: string, words: readonly (readonly [index: number, value: bigint])[], end = 0): void {
  const file = openSync(path, 'w');
  const bytes = Buffer.alloc(8);
  if (end > 0) ftruncateSync(file, end * 8);
  for (const [index, value] of words) {
    bytes.writeBigUInt64LE(value);
    writeSync(file, bytes, 0, 8, index * 8);
  }
  closeSync(file);
}
