// A directory with the shape of /proc and /sys for tests: the text files as given, and the binary files made from lists
// of entries. It stands for shapes that the test's machine does not have (no privilege, swap, mTHP, KSM, hugetlb).
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One 64-bit word of a binary file: index, value. */
export type Word = readonly [index: number, value: bigint];

/** What the fake holds. */
export interface FakeProcess {
  readonly smaps: string;
  readonly pagemap: readonly Word[];
  /** Words that pagemap has in all: the page number where the address space ends. */
  readonly pagemapEnd: number;
  readonly status?: string;
  readonly mountinfo?: string;
  /** null: the file is not there. */
  readonly kpageflags?: readonly Word[] | null;
  readonly kpagecount?: readonly Word[] | null;
}

/** The pid of the fake process. */
export const FAKE_PID = 4242;

const STATUS =
  'Name:\tfake server\nState:\tS (sleeping)\nVmSize:\t    4096 kB\nVmRSS:\t     100 kB\nTHP_enabled:\t1\nThreads:\t3\n';

/** Makes the directory. `remove` deletes it. */
export function fakeProc(fake: FakeProcess): { procRoot: string; sysRoot: string; remove: () => void } {
  const root = mkdtempSync(join(tmpdir(), 'thplab-fake-proc-'));
  const procRoot = join(root, 'proc');
  const sysRoot = join(root, 'sys');
  const own = join(procRoot, String(FAKE_PID));
  const thp = join(sysRoot, 'kernel/mm/transparent_hugepage');
  mkdirSync(own, { recursive: true });
  mkdirSync(join(procRoot, 'sys/kernel'), { recursive: true });
  mkdirSync(join(thp, 'khugepaged'), { recursive: true });
  writeFileSync(join(own, 'smaps'), fake.smaps);
  writeFileSync(join(own, 'status'), fake.status ?? STATUS);
  writeFileSync(
    join(own, 'stat'),
    `${FAKE_PID} (fake server) S ${Array.from({ length: 40 }, (_, i) => i).join(' ')}\n`,
  );
  writeFileSync(join(own, 'mountinfo'), fake.mountinfo ?? '');
  writeWords(join(own, 'pagemap'), fake.pagemap, fake.pagemapEnd);
  if (fake.kpageflags) writeWords(join(procRoot, 'kpageflags'), fake.kpageflags, 0);
  if (fake.kpagecount) writeWords(join(procRoot, 'kpagecount'), fake.kpagecount, 0);
  writeFileSync(join(procRoot, 'sys/kernel/osrelease'), '6.18.0-fake\n');
  writeFileSync(join(procRoot, 'meminfo'), 'MemTotal:       16384 kB\nMemFree:         8192 kB\n');
  writeFileSync(join(thp, 'enabled'), 'always [madvise] never\n');
  writeFileSync(join(thp, 'hpage_pmd_size'), '2097152\n', { mode: 0o444 });
  writeFileSync(join(thp, 'khugepaged/max_ptes_none'), '511\n');
  return { procRoot, sysRoot, remove: () => rmSync(root, { recursive: true, force: true }) };
}

function writeWords(path: string, words: readonly Word[], end: number): void {
  const file = openSync(path, 'w');
  const bytes = Buffer.alloc(8);
  if (end > 0) ftruncateSync(file, end * 8);
  for (const [index, value] of words) {
    bytes.writeBigUInt64LE(value);
    writeSync(file, bytes, 0, 8, index * 8);
  }
  closeSync(file);
}

/** The text of one VMA of smaps. */
export function smapsVma(
  head: string,
  kb: Readonly<Record<string, number>> = {},
  vmFlags = 'rd wr mr mw me ac',
): string {
  const fields = Object.entries({ KernelPageSize: 4, MMUPageSize: 4, ...kb });
  const lines = fields.map(([name, value]) => `${`${name}:`.padEnd(15)} ${String(value).padStart(8)} kB`);
  return `${head}\n${lines.join('\n')}\nTHPeligible:           0\nVmFlags: ${vmFlags} \n`;
}
