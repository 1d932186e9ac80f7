// Processes that a test starts to capture them. The child says 'ready' and one line of JSON when its memory is as it should be, and then
// waits for the end of its input; nobody sleeps.
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';

/** A child that is ready to be captured. */
export interface ReadyChild {
  readonly pid: number;
  /** What the child said about its memory. */
  readonly report: Readonly<Record<string, number>>;
  /** Ends the child, by its pid, and waits until it is gone. */
  readonly end: () => Promise<void>;
}

/** Starts a command and waits until it has printed its line of JSON. */
export async function startChild(
  command: string,
  args: readonly string[],
  ids: { uid?: number; gid?: number } = {},
): Promise<ReadyChild> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], ...ids });
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
  try {
    const report = JSON.parse(await firstLine(child)) as Record<string, number>;
    const end = async (): Promise<void> => {
      child.kill('SIGKILL');
      await gone;
    };
    return { pid: child.pid ?? 0, report, end };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

function firstLine(child: ChildProcessByStdio<Writable, Readable, null>): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.once('error', reject);
    child.once('close', (code) => reject(new Error(`the child ended (${code}) before it was ready: ${text}`)));
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end >= 0) resolve(text.slice(0, end));
    });
  });
}

/** Why captures of real processes cannot be tested here, or null when they can. */
export function whyNoLiveCapture(): string | null {
  if (process.platform !== 'linux') return 'not Linux';
  if (process.geteuid?.() !== 0) return 'not root: frame numbers are hidden';
  return null;
}

/** Whether a python3 is there to be the child. */
export function hasPython(): boolean {
  return spawnSync('python3', ['-c', 'import mmap, ctypes']).status === 0;
}

/**
 * A child with one region of memory for each state that can be made without privilege. It reports the byte address of each
 * region under its name, and the length under NAME_len.
 */
export const PYTHON_REGIONS = `
import ctypes, json, mmap, os, sys
HUGEPAGE, NOHUGEPAGE, DONTNEED, FREE, DONTFORK, GUARD = 14, 15, 4, 8, 10, 102
PAGE, HUGE = 4096, 2 << 20
keep, report = [], {}
def region(name, size, shared=False):
    flags = mmap.MAP_ANONYMOUS | (mmap.MAP_SHARED if shared else mmap.MAP_PRIVATE)
    m = mmap.mmap(-1, size + HUGE, flags=flags)
    keep.append(m)
    base = ctypes.addressof(ctypes.c_char.from_buffer(m))
    off = -base % HUGE
    report[name], report[name + '_len'] = base + off, size
    return m, off
def write(m, off, size, step=PAGE):
    for i in range(off, off + size, step): m[i] = 1
m, o = region('huge', 3 * HUGE); m.madvise(HUGEPAGE); write(m, o, 3 * HUGE)
m, o = region('holed', HUGE); m.madvise(HUGEPAGE); write(m, o, HUGE); m.madvise(NOHUGEPAGE); m.madvise(DONTNEED, o + 7 * PAGE, PAGE)
m, o = region('sparse', 2 * HUGE); m.madvise(NOHUGEPAGE); m.madvise(DONTFORK); write(m, o, 2 * HUGE, 16 * PAGE)
m, o = region('zero', HUGE); m.madvise(NOHUGEPAGE); total = sum(m[o + i * PAGE] for i in range(100))
m, o = region('lazy', HUGE); m.madvise(NOHUGEPAGE); write(m, o, HUGE); m.madvise(FREE, o, HUGE)
m, o = region('shmem', HUGE, shared=True); write(m, o, 64 * PAGE)
m, o = region('guard', HUGE); m.madvise(NOHUGEPAGE); write(m, o, 8 * PAGE)
try: m.madvise(GUARD, o + 8 * PAGE, 8 * PAGE); report['guards'] = 8
except OSError: report['guards'] = 0
m, o = region('forked', HUGE); m.madvise(NOHUGEPAGE); write(m, o, HUGE)
# The child stops at once, so that it copies no more pages while it is counted; it dies with its parent.
PR_SET_PDEATHSIG, SIGKILL, SIGSTOP = 1, 9, 19
libc = ctypes.CDLL(None)
pid = os.fork()
if pid == 0:
    libc.prctl(PR_SET_PDEATHSIG, SIGKILL); os.kill(os.getpid(), SIGSTOP); os._exit(0)
os.waitpid(pid, os.WUNTRACED)
write(m, o, 10 * PAGE)
print(json.dumps(report), flush=True)
sys.stdin.read()
`;

/** A Node child that has filled so many bytes of Buffer memory. */
export function nodeHeapScript(bytes: number): string {
  return `const b = Buffer.alloc(${bytes}, 1); console.log(JSON.stringify({ bytes: b.length })); process.stdin.resume();`;
}
