/** How far long work is: one line on stderr that is written over, on a terminal only. */
import type { Context } from '../context.js';

export interface Progress {
  /** Shows a state; too frequent ones are left out. */
  show(text: string): void;
  /** Removes the line. */
  clear(): void;
}

const EVERY_MS = 80;
const SILENT: Progress = { show: () => {}, clear: () => {} };

/** Progress of one piece of work. `quiet` shows none. */
export function progressOf(context: Context, quiet = false): Progress {
  const { stderr, nowMs } = context.io;
  if (quiet || !stderr.isTerminal) return SILENT;
  let last = Number.NEGATIVE_INFINITY;
  let shown = false;
  return {
    show(text) {
      if (nowMs() - last < EVERY_MS) return;
      last = nowMs();
      shown = true;
      const width = (stderr.columns ?? 80) - 1;
      stderr.write(`\r\u001b[2K${context.errorColors.faint(text.slice(0, width))}`);
    },
    clear() {
      if (shown) stderr.write('\r\u001b[2K');
      shown = false;
    },
  };
}

/** `[#####.....]  50%` */
export function bar(done: number, total: number, width = 24): string {
  const share = total > 0 ? Math.min(1, Math.max(0, done / total)) : 0;
  const full = Math.round(share * width);
  return `[${'#'.repeat(full)}${'.'.repeat(width - full)}] ${`${Math.floor(share * 100)}`.padStart(3)}%`;
}
