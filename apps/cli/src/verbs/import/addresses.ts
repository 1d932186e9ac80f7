/** Which addresses of the samples are used, and what a snapshot adds: places of frames, and which blocks are huge. */
import type { EventSamples, HotBlock, HotRule, MeasuredBlock, PageHeat, PerfSamples, Snapshot } from '@thplab/capture';
import type { Context } from '../../context.js';
import { InputError, UsageError } from '../../errors.js';
import { captureFrom } from '../../input/capture-process.js';
import { readInput } from '../../input/read-input.js';
import type { PerfOptions } from './perf-script.js';

/** Samples by virtual page. */
export interface Placed {
  /** `instruction`: there is nothing else, and it says where code is, not data. `blocks`: counted by another tool. */
  readonly by: 'virtual' | 'physical' | 'instruction' | 'blocks';
  readonly event: string;
  readonly samples: number;
  /** Samples of memory that the snapshot does not map. */
  readonly elsewhere: number;
  /** First pages of the blocks that a PMD maps; null: not known. */
  readonly huge: ReadonlySet<number> | null;
  /** The snapshot's process. */
  readonly pid: number | undefined;
  blocks(order: number, rule: HotRule): HotBlock[];
}

export async function chooseAddresses(
  context: Context,
  shown: string,
  samples: PerfSamples,
  options: PerfOptions,
  pageSize: number,
): Promise<Placed> {
  const { chooseEvent } = await import('@thplab/capture');
  const event = chooseEvent(samples, options.event);
  if (event === undefined) return ofBlocks(context, shown, samples, options, pageSize);
  const snapshot = await snapshotOf(context, options, pageSize);
  const by = addressesOf(event, options, shown);
  if (by !== 'physical') return ofHeat(event, by, by === 'virtual' ? event.virtual : event.instructions, 0, snapshot);
  if (snapshot === null) {
    throw new UsageError(
      'the samples have physical addresses only; where they are mapped is in a snapshot: give --snapshot FILE (made with "thplab capture --keep-frames") or --pid N',
    );
  }
  const { virtual, elsewhere } = await placed(event.physical, snapshot, options);
  return ofHeat(event, by, virtual, elsewhere, snapshot);
}

function addressesOf(event: EventSamples, options: PerfOptions, shown: string): 'virtual' | 'physical' | 'instruction' {
  const { by } = options;
  if (by !== undefined && event[by].samples === 0) throw new UsageError(`no sample of ${shown} has a ${by} address`);
  if (by !== undefined) return by;
  if (event.virtual.samples > 0) return 'virtual';
  if (event.physical.samples > 0) return 'physical';
  if (event.instructions.samples > 0) return 'instruction';
  throw new InputError(
    `${shown}:1:1: no sample has an address of the process; record with addresses ("-F addr" or "-F phys_addr")`,
    {
      hasPlace: true,
    },
  );
}

async function ofHeat(
  event: EventSamples,
  by: 'virtual' | 'physical' | 'instruction',
  heat: PageHeat,
  elsewhere: number,
  snapshot: Snapshot | null,
): Promise<Placed> {
  const { hotBlocks, hugeBlocks } = await import('@thplab/capture');
  return {
    by,
    event: event.event,
    samples: event.samples,
    elsewhere,
    huge: snapshot === null ? null : hugeBlocks(snapshot),
    pid: snapshot?.process.pid,
    blocks: (order, rule) => hotBlocks(heat, order, rule),
  };
}

/** Blocks that spe_hist or pfn_to_va have counted: frames are placed by the page at their beginning. */
async function ofBlocks(
  context: Context,
  shown: string,
  samples: PerfSamples,
  options: PerfOptions,
  pageSize: number,
): Promise<Placed> {
  const { virtualBlocks, physicalBlocks } = samples;
  if (virtualBlocks.length + physicalBlocks.length === 0) {
    const seen = samples.events.map(({ event }) => event).join(', ');
    const message =
      options.event === undefined || seen === ''
        ? `${shown}:1:1: no sample`
        : `${shown}:1:1: no sample under ${options.event}; there are: ${seen}`;
    throw new InputError(message, { hasPlace: true });
  }
  const { hugeBlocks } = await import('@thplab/capture');
  const snapshot = await snapshotOf(context, options, pageSize);
  const found = [...virtualBlocks];
  let elsewhere = 0;
  if (physicalBlocks.length > 0) {
    if (snapshot === null)
      throw new UsageError('blocks of frames are placed by a snapshot: give --snapshot FILE or --pid N');
    const { PageHeat: Heat } = await import('@thplab/capture');
    const frames = new Heat();
    for (const { startPage } of physicalBlocks) frames.add(startPage);
    const index = await frameIndex(frames, snapshot, options);
    for (const { startPage, hotPercent } of physicalBlocks) {
      const page = index.get(startPage);
      if (page === undefined) elsewhere++;
      else found.push({ startPage: page, hotPercent });
    }
  }
  return {
    by: 'blocks',
    event: '',
    samples: found.length,
    elsewhere,
    huge: snapshot === null ? null : hugeBlocks(snapshot),
    pid: snapshot?.process.pid,
    blocks: (order) => found.map((block) => measured(block, order)).sort((a, b) => a.startPage - b.startPage),
  };
}

function measured({ startPage, hotPercent }: MeasuredBlock, order: number): HotBlock {
  const hot = Math.round((hotPercent * 2 ** order) / 100);
  return { startPage, samples: 0, peak: 0, accessed: hot, hot, hotPercent };
}

async function placed(
  physical: PageHeat,
  snapshot: Snapshot,
  options: PerfOptions,
): Promise<{ virtual: PageHeat; elsewhere: number }> {
  const { placeSamples } = await import('@thplab/capture');
  return placeSamples(physical, await frameIndex(physical, snapshot, options));
}

async function frameIndex(
  frames: PageHeat,
  snapshot: Snapshot,
  options: PerfOptions,
): Promise<ReadonlyMap<number, number>> {
  const { indexFrames } = await import('@thplab/capture');
  try {
    return indexFrames(snapshot, frames);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InputError(`${options.snapshot ?? `process ${options.pid}`}: ${error.message}`, { cause: error });
  }
}

async function snapshotOf(context: Context, options: PerfOptions, pageSize: number): Promise<Snapshot | null> {
  const snapshot = await loadSnapshot(context, options);
  if (snapshot !== null && snapshot.kernel.pageSize !== pageSize) {
    throw new UsageError(
      `the snapshot has pages of ${snapshot.kernel.pageSize / 1024}K: give --page-size ${snapshot.kernel.pageSize / 1024}K`,
    );
  }
  return snapshot;
}

async function loadSnapshot(context: Context, options: PerfOptions): Promise<Snapshot | null> {
  if (options.pid !== undefined) {
    return (await captureFrom(context, { pid: options.pid, names: 'none', keepFrames: true }, () => {})).snapshot;
  }
  if (options.snapshot === undefined) return null;
  const input = await readInput(context, options.snapshot);
  if (input.kind !== 'snapshot') throw new InputError(`${input.path} is no snapshot; "thplab capture" makes one`);
  const { readSnapshot, SnapshotError } = await import('@thplab/capture');
  try {
    return readSnapshot(input.bytes);
  } catch (error) {
    if (!(error instanceof SnapshotError)) throw error;
    throw new InputError(`${input.path}: ${error.message}`, { cause: error });
  }
}
