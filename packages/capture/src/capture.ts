// One capture, from the pid to the snapshot. The steps are in gather.ts (pagemap), resolve-frames.ts (kpageflags,
// kpagecount) and describe-vmas.ts; here they are put in order, and files are opened and closed.
import { endianness } from 'node:os';
import { basePageSize, describeHeads, describeNotes, finishVmas } from './describe-vmas.js';
import { CaptureError, errnoOf } from './errors.js';
import { AddressSpaceGone, type Gathered, gatherPages, type VmaHead } from './gather.js';
import { concludeWithoutFrames } from './hidden-frames.js';
import { readKernelInfo } from './kernel-info.js';
import { PageColumns } from './page-columns.js';
import { noSuchProcess, ProcessFiles, processEnded, ReadOnlyFile } from './proc-files.js';
import { type CapturePhase, type CaptureProgress, Pacer } from './progress.js';
import { countedPages, ReadPlanner } from './read-plan.js';
import { type HugetlbRows, type KpageFiles, resolveFrames } from './resolve-frames.js';
import { parseSmaps } from './smaps.js';
import { DEFAULT_MAX_PAGES, SNAPSHOT_FORMAT, type Snapshot, type SnapshotKernel, UNEXPOSED_FACTS } from './snapshot.js';
import { type ProcessStatus, parseStartTime, parseStatus } from './status.js';
import { checkTotals, type TotalsCheck } from './totals.js';
import { type NameDetail, tmpfsDevices } from './vma-kind.js';

/** What to capture, and how. */
export interface CaptureOptions {
  /** The process. */
  readonly pid: number;
  /** Told of the progress about every 25 ms. */
  readonly onProgress?: (progress: CaptureProgress) => void;
  /** Ends the capture; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** How much of the names of mappings is kept; 'base' unless told otherwise. */
  readonly names?: NameDetail;
  /**
   * Keeps the machine's own frame numbers (physical addresses) beside the renumbered ones, so that samples by physical
   * address can be placed. Needs CAP_SYS_ADMIN; without it nothing is kept, and `missing` says so.
   */
  readonly keepFrames?: boolean;
  /** Limit of pages in use, {@link DEFAULT_MAX_PAGES} unless told otherwise. */
  readonly maxPages?: number;
  /** Address space read at most in mappings over 8 GiB, in bytes: 1 TiB unless told otherwise. */
  readonly sparseReadBytes?: number;
  /** '/proc' unless told otherwise. */
  readonly procRoot?: string;
  /** '/sys' unless told otherwise. */
  readonly sysRoot?: string;
}

/** What a capture gives. */
export interface CaptureResult {
  readonly snapshot: Snapshot;
  /** The snapshot's sums beside smaps'. */
  readonly totals: TotalsCheck;
  /** Milliseconds of each phase. */
  readonly timingsMs: Readonly<Partial<Record<CapturePhase, number>>>;
}

/**
 * Captures the page tables of a live Linux process: reads maps, smaps, status and pagemap of the process and, where
 * permitted, /proc/kpageflags and /proc/kpagecount. The process keeps running and is not changed; no memory contents are
 * read. Needs the right to trace the process; to see frames (folio orders, sharing, zero pages) also CAP_SYS_ADMIN.
 *
 * @throws CaptureError when there is no such process, it may not be read, it ends meanwhile, or it is beyond a limit.
 */
export async function captureProcess(options: CaptureOptions): Promise<CaptureResult> {
  const { pid, procRoot = '/proc', sysRoot = '/sys', maxPages = DEFAULT_MAX_PAGES } = options;
  checkPlatform(options);
  const files = new ProcessFiles(procRoot, pid);
  const pacer = new Pacer(options.onProgress, options.signal);
  pacer.begin('smaps', 0);
  const startTime = startTimeOf(files);
  const status = statusWithMemory(files);
  const pagemap = files.open('pagemap');
  try {
    const entries = parseSmaps(files.text('smaps'));
    if (entries.length === 0) throw processEnded(pid);
    const pageSize = basePageSize(entries);
    const kernel = readKernelInfo(procRoot, sysRoot, pageSize);
    const shmemDevices = tmpfsDevices(files.optionalText('mountinfo') ?? '');
    const heads = describeHeads(entries, pageSize, options.names ?? 'base', shmemDevices);
    const expected = heads.reduce((sum, head) => sum + countedPages(head.smapsKb, pageSize), 0);
    const columns = new PageColumns(Math.ceil(expected * 1.05) + 4096, maxPages);
    pacer.begin('pagemap', 0);
    const gathered = await gather(
      files,
      pagemap,
      heads,
      new ReadPlanner(pageSize, options.sparseReadBytes),
      columns,
      pacer,
    );
    const missing: string[] = [];
    const keeps = options.keepFrames === true && gathered.framesVisible;
    if (options.keepFrames === true && !keeps) missing.push(FRAMES_NOT_KEPT);
    if (keeps) columns.keepFrames();
    const frameCount = await resolve(procRoot, heads, gathered, columns, kernel, missing, pacer);
    const vmas = finishVmas(heads, gathered.vmas, columns, kernel);
    if (files.optionalText('stat') === null || startTimeOf(files) !== startTime) throw processEnded(pid);
    const snapshot: Snapshot = {
      format: SNAPSHOT_FORMAT,
      capturedAt: new Date().toISOString(),
      process: {
        pid,
        name: options.names === 'none' ? '' : status.name,
        threads: status.threads,
        thpEnabled: status.thpEnabled,
        statusKb: status.kb,
      },
      kernel,
      vmas,
      pages: columns.finish(),
      frameCount,
      missing,
      notes: describeNotes(vmas, gathered.vmas, pageSize),
      unexposed: UNEXPOSED_FACTS,
    };
    const totals = checkTotals(snapshot);
    return { snapshot, totals, timingsMs: pacer.finish() };
  } finally {
    pagemap.close();
  }
}

const FRAMES_NOT_KEPT = 'Physical frame numbers could not be kept: the kernel shows them to root only (CAP_SYS_ADMIN).';

function checkPlatform({ pid, procRoot }: CaptureOptions): void {
  if (!Number.isSafeInteger(pid) || pid <= 0) {
    throw new CaptureError('bad-argument', `A pid is a positive whole number; this is none: ${pid}`);
  }
  if (process.platform !== 'linux' && procRoot === undefined) {
    const message = `Processes can be captured on Linux only; this is ${process.platform}. Capture on the Linux machine and read the file here.`;
    throw new CaptureError('unsupported-platform', message);
  }
  if (endianness() !== 'LE') {
    throw new CaptureError('unsupported-platform', 'Processes can be captured on little-endian machines only.');
  }
}

function startTimeOf(files: ProcessFiles): string {
  return parseStartTime(files.text('stat'));
}

function statusWithMemory(files: ProcessFiles): ProcessStatus {
  const status = parseStatus(files.text('status'));
  if (status.kb.VmSize !== undefined) return status;
  if (status.state === 'Z' || status.state === 'X') {
    throw new CaptureError('no-memory', `Process ${files.pid} has ended already and waits for its parent (a zombie).`);
  }
  if (status.name === '') throw noSuchProcess(files.pid);
  throw new CaptureError(
    'no-memory',
    `Process ${files.pid} (${status.name}) is a kernel thread; it has no memory of its own.`,
  );
}

async function gather(
  files: ProcessFiles,
  pagemap: ReadOnlyFile,
  heads: readonly VmaHead[],
  planner: ReadPlanner,
  columns: PageColumns,
  pacer: Pacer,
): Promise<Gathered> {
  try {
    return await gatherPages(pagemap, heads, planner, columns, pacer);
  } catch (error) {
    if (error instanceof AddressSpaceGone) throw processEnded(files.pid);
    throw errnoOf(error) === null || error instanceof CaptureError ? error : files.explain(error, 'pagemap');
  }
}

async function resolve(
  procRoot: string,
  heads: readonly VmaHead[],
  gathered: Gathered,
  columns: PageColumns,
  kernel: SnapshotKernel,
  missing: string[],
  pacer: Pacer,
): Promise<number> {
  if (!gathered.framesVisible && gathered.presentPages > 0) {
    missing.push(
      'Frame numbers are hidden, so folio orders (mTHP sizes), map counts, KSM and most zero pages are not told apart. Capture as root (CAP_SYS_ADMIN).',
    );
    concludeWithoutFrames(columns, heads, gathered.vmas, kernel.pageSize);
    return 0;
  }
  const kpageflags = openOrNull(`${procRoot}/kpageflags`);
  const kpagecount = openOrNull(`${procRoot}/kpagecount`);
  try {
    if (kpageflags === null)
      missing.push(unreadable(procRoot, 'kpageflags', 'Folio orders, zero pages and page flags'));
    if (kpagecount === null) missing.push(unreadable(procRoot, 'kpagecount', 'Map counts'));
    const files: KpageFiles = { kpageflags, kpagecount };
    return await resolveFrames(columns, files, kernel.pmdOrder, hugetlbRows(heads, gathered, kernel.pageSize), pacer);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === null || error instanceof CaptureError) throw error;
    throw new CaptureError('unreadable', `Cannot read ${procRoot}/kpageflags or kpagecount: ${String(error)}`, errno, {
      cause: error,
    });
  } finally {
    kpageflags?.close();
    kpagecount?.close();
  }
}

function openOrNull(path: string): ReadOnlyFile | null {
  try {
    return new ReadOnlyFile(path);
  } catch {
    return null;
  }
}

function unreadable(procRoot: string, name: string, facts: string): string {
  return `${facts} are unknown: ${procRoot}/${name} cannot be read. Capture as root, on a kernel with CONFIG_PROC_PAGE_MONITOR.`;
}

function hugetlbRows(heads: readonly VmaHead[], gathered: Gathered, pageSize: number): HugetlbRows[] {
  const rows: HugetlbRows[] = [];
  heads.forEach((head, index) => {
    if (head.kind !== 'hugetlb') return;
    const order = Math.round(Math.log2(((head.smapsKb.KernelPageSize ?? pageSize / 1024) * 1024) / pageSize));
    rows.push({ ...gathered.vmas[index], order });
  });
  return rows;
}
