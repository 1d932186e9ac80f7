/** Capturing a live process, with the errors of the capture package as ours. Used by `capture` and `what-if --pid`. */
import type { CaptureError, CaptureErrorCode, CaptureOptions, CaptureProgress, CaptureResult } from '@thplab/capture';
import type { Context } from '../context.js';
import { type CliError, InputError, InterruptedError, LimitError, UsageError } from '../errors.js';

/** Captures a process. Ctrl-C ends it. Errors: InputError, LimitError, InterruptedError, each with what would be right. */
export async function captureFrom(
  context: Context,
  options: Pick<CaptureOptions, 'pid' | 'names' | 'keepFrames'>,
  onProgress: (progress: CaptureProgress) => void,
): Promise<CaptureResult> {
  const capture = await import('@thplab/capture');
  const signal = context.interruptible();
  let last: CaptureProgress | null = null;
  try {
    return await capture.captureProcess({
      ...options,
      procRoot: context.io.procRoot,
      sysRoot: context.io.sysRoot,
      signal,
      onProgress(progress) {
        last = progress;
        onProgress(progress);
      },
    });
  } catch (error) {
    if (error instanceof capture.CaptureError) throw ours(error);
    if (signal.aborted && error === signal.reason)
      throw new InterruptedError(`${howFar(last)}; no snapshot was written`);
    throw error;
  }
}

function howFar(last: CaptureProgress | null): string {
  if (last === null) return 'nothing was read yet';
  return `the capture was in its phase ${last.phase}, at ${last.done} of ${last.total}`;
}

const HINTS: Readonly<Partial<Record<CaptureErrorCode, string>>> = {
  'no-such-process': '"ps -e" lists the processes',
  'not-permitted': 'capture as the owner of the process, or as root (sudo)',
  'process-ended': 'start it again and capture it while it runs',
  'no-memory': 'name a process with memory of its own',
};

function ours(error: CaptureError): CliError {
  const hint = HINTS[error.code];
  const message = hint === undefined ? error.message : `${error.message.replace(/\.$/, '')}; ${hint}`;
  if (error.code === 'bad-argument') return new UsageError(message);
  if (error.code === 'too-large') return new LimitError(message, error);
  return new InputError(message, { cause: error });
}
