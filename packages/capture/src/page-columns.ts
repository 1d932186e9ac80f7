// The columns of a snapshot while they grow. Growing doubles and copies; the first size is estimated from smaps, so that
// a capture usually never grows.
import { CaptureError } from './errors.js';
import { NO_FRAME } from './page-kind.js';
import type { SnapshotPages } from './snapshot.js';

/** Columns with room for more rows. `frame` holds raw page frame numbers (0: none or hidden) until they are renumbered. */
export class PageColumns {
  length: number;
  vpn: Float64Array;
  kind: Uint8Array;
  frame: Uint32Array;
  order: Uint8Array;
  flags: Uint16Array;
  mapcount: Uint16Array;
  /** Raw frame numbers that are kept beside the new ones; null unless asked for. */
  pfn: Uint32Array | null = null;
  readonly #maxPages: number;

  constructor(capacity: number, maxPages: number) {
    const rows = Math.max(1024, Math.min(capacity, maxPages));
    this.length = 0;
    this.#maxPages = maxPages;
    this.vpn = new Float64Array(rows);
    this.kind = new Uint8Array(rows);
    this.frame = new Uint32Array(rows);
    this.order = new Uint8Array(rows);
    this.flags = new Uint16Array(rows);
    this.mapcount = new Uint16Array(rows);
  }

  /** Makes room for `more` rows behind the last. @throws CaptureError `too-large` beyond the limit of pages. */
  reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.vpn.length) return;
    if (needed > this.#maxPages) {
      const message = `The process has more than ${this.#maxPages} pages in use. Raise the option maxPages (about 20 bytes of memory each).`;
      throw new CaptureError('too-large', message);
    }
    const rows = Math.min(Math.max(needed, Math.ceil(this.vpn.length * 1.5)), this.#maxPages);
    const grown = new PageColumns(rows, this.#maxPages);
    grown.vpn.set(this.vpn);
    grown.kind.set(this.kind);
    grown.frame.set(this.frame);
    grown.order.set(this.order);
    grown.flags.set(this.flags);
    grown.mapcount.set(this.mapcount);
    this.vpn = grown.vpn;
    this.kind = grown.kind;
    this.frame = grown.frame;
    this.order = grown.order;
    this.flags = grown.flags;
    this.mapcount = grown.mapcount;
  }

  /** Appends a row; the caller has reserved it. */
  push(vpn: number, kind: number, pfn: number, flags: number): void {
    const row = this.length++;
    this.vpn[row] = vpn;
    this.kind[row] = kind;
    this.frame[row] = pfn;
    this.flags[row] = flags;
  }

  /** The finished columns, as views on the rows in use. */
  finish(): SnapshotPages {
    const rows = this.length;
    return {
      length: rows,
      vpn: this.vpn.subarray(0, rows),
      kind: this.kind.subarray(0, rows),
      frame: this.frame.subarray(0, rows),
      order: this.order.subarray(0, rows),
      flags: this.flags.subarray(0, rows),
      mapcount: this.mapcount.subarray(0, rows),
      ...(this.pfn === null ? {} : { pfn: this.pfn }),
    };
  }

  /** Keeps the raw frame numbers of the finished rows, before they are renumbered. */
  keepFrames(): void {
    this.pfn = this.frame.slice(0, this.length);
  }

  /** Puts NO_FRAME in place of every raw frame number: for a capture that is not allowed to see them. */
  forgetFrames(): void {
    this.frame.fill(NO_FRAME, 0, this.length);
  }
}
