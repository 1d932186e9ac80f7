/** Processes and their VMAs: places, overlaps, names. */
import { MAX_MEMCGS, memcgLineage } from '@thplab/mm-model';
import { type Context, type Family, findProcess } from './context.js';
import type { DraftEvent, DraftProcess, DraftVma } from './draft.js';
import { normaliseMappedFile } from './normalise-files.js';
import { expectedPages, normaliseLayer } from './normalise-pages.js';
import { formatKey, type KeyPath } from './problems.js';
import type { ProcessSpec, VmaSpec } from './scenario.js';
import { formatAddress, formatSize, MAX_BYTES } from './units.js';

/** Where the first VMA goes that says nothing itself, on machines with an address space of the usual size. */
const FIRST_ADDRESS = 0x1000_0000_0000;

/** Bytes that the page tables of the machine reach: four levels at most, of which toys have few entries. */
function addressSpace({ machine }: Context): number {
  return Math.min(MAX_BYTES, machine.pageSize * 2 ** (4 * machine.pmdOrder));
}

function firstAddress(context: Context): number {
  const space = addressSpace(context);
  return space > 2 * FIRST_ADDRESS ? FIRST_ADDRESS : alignUp(space / 16, context.machine.blockSize);
}

/** A VMA at `start`; reports sizes and addresses that are no whole number of pages. */
export function normaliseVma(context: Context, draft: DraftVma, start: number | null, path: KeyPath): VmaSpec {
  const { pageSize } = context.machine;
  for (const [key, value] of [
    ['size', draft.size],
    ['at', draft.at ?? 0],
  ] as const) {
    if (value % pageSize === 0) continue;
    const message = `${key} is no multiple of the page size`;
    context.report([...path, key], message, `expected a multiple of ${formatSize(pageSize)}`);
  }
  if (start !== null && start + draft.size > addressSpace(context)) {
    const message = `the VMA would end at ${formatAddress(start + draft.size)}`;
    context.report(
      [...path, draft.at === undefined ? 'size' : 'at'],
      message,
      `the address space ends at ${formatAddress(addressSpace(context))}`,
    );
  }
  const pages = Math.max(1, Math.floor(draft.size / pageSize));
  const layers = draft.populate ?? [];
  return {
    key: formatKey(path),
    name: draft.name,
    start,
    size: draft.size,
    ...normaliseMappedFile(context, draft, path),
    prot: draft.prot ?? { read: true, write: true, exec: false },
    advice: draft.advice ?? 'none',
    flags: [...new Set(draft.flags ?? [])],
    uffd: [...new Set(draft.uffd ?? [])],
    populate: layers.map((layer, i) => normaliseLayer(context, layer, pages, [...path, 'populate', i])),
  };
}

/** The processes of the file; registers their names in the context. */
export function normaliseProcesses(context: Context, drafts: readonly DraftProcess[]): ProcessSpec[] {
  const specs = drafts.map((draft, index) => normaliseProcess(context, draft, ['processes', index]));
  const memory = context.machine.nodes.reduce((total, node) => total + node.size, 0);
  const needed = specs.reduce((total, spec) => total + spec.count * populatedBytes(context, spec.vmas), 0);
  if (needed > memory) {
    const message = `the processes start with ${formatSize(needed)} of present pages, the machine has ${formatSize(memory)}`;
    context.report(['processes'], message, 'raise machine.memory', 'key');
  }
  return specs;
}

function normaliseProcess(context: Context, draft: DraftProcess, path: KeyPath): ProcessSpec {
  if (context.processes.has(draft.name)) {
    context.report([...path, 'name'], `a second process ${JSON.stringify(draft.name)}`, 'give each its own name');
  }
  checkCpu(context, draft.cpu, [...path, 'cpu']);
  const memcg = draft.memcg ?? '/';
  for (const one of memcgLineage(memcg)) context.memcgs.add(one);
  if (context.memcgs.size > MAX_MEMCGS) {
    context.report([...path, 'memcg'], 'these are too many memory cgroups', `there are at most ${MAX_MEMCGS}`);
  }
  const family: Family = { vmas: new Map(), next: firstAddress(context) };
  const count = draft.count ?? 1;
  context.processes.set(draft.name, { count, fromSnapshot: draft.snapshot !== undefined, family });
  const vmas: VmaSpec[] = [];
  for (const [index, vma] of (draft.vmas ?? []).entries()) {
    const at = [...path, 'vmas', index];
    const start = place(context, family, vma.size, vma.at);
    if (family.vmas.has(vma.name)) {
      context.report(
        [...at, 'name'],
        `a second VMA ${JSON.stringify(vma.name)} in this process`,
        'give each its own name',
      );
    }
    family.vmas.set(vma.name, { start, size: vma.size });
    vmas.push(normaliseVma(context, vma, start, at));
  }
  reportOverlaps(context, vmas, path);
  return {
    key: formatKey(path),
    name: draft.name,
    count,
    thp: draft.thp ?? 'default',
    memcg,
    cpu: draft.cpu ?? null,
    snapshot: draft.snapshot === undefined ? null : fileBeside(context, draft.snapshot),
    vmas,
  };
}

function fileBeside(context: Context, file: string): string {
  return file.startsWith('/') ? file : `${context.folder}${file.replace(/^(\.\/)+/, '')}`;
}

/** Reports a CPU that the machine does not have. */
export function checkCpu(context: Context, cpu: number | undefined, path: KeyPath): void {
  if (cpu === undefined || cpu < context.machine.cpus) return;
  context.report(path, `there is no CPU ${cpu}`, `the machine has ${context.machine.cpus}, from 0: raise machine.cpus`);
}

function reportOverlaps(context: Context, vmas: readonly VmaSpec[], path: KeyPath): void {
  const order = vmas.map((vma, index) => ({ ...vma, start: vma.start ?? 0, index })).sort((a, b) => a.start - b.start);
  for (let i = 1; i < order.length; i++) {
    const [below, above] = [order[i - 1], order[i]];
    const end = below.start + below.size;
    if (end <= above.start) continue;
    const place = [...path, 'vmas', above.index, 'at'];
    context.report(place, `${above.name} overlaps ${below.name}`, `which ends at ${formatAddress(end)}`);
  }
}

/** Bytes of present pages, at least: the largest layer of each VMA. */
function populatedBytes(context: Context, vmas: readonly VmaSpec[]): number {
  const { pageSize, pmdOrder } = context.machine;
  const ofLayer = (vma: VmaSpec, layer: VmaSpec['populate'][number]): number => {
    const present = layer.states.find((one) => one.state === 'present')?.fraction ?? 0;
    return present * expectedPages(layer.pattern, vma.size / pageSize, 2 ** pmdOrder) * pageSize;
  };
  return vmas.reduce((total, vma) => total + Math.max(0, ...vma.populate.map((layer) => ofLayer(vma, layer))), 0);
}

/** Start of a VMA: as given, or behind the last one placed, block-aligned with a gap of a block at least. */
function place(context: Context, family: Family, size: number, at: number | undefined): number {
  const { blockSize } = context.machine;
  const start = at ?? alignUp(family.next, blockSize);
  family.next = start + size + blockSize;
  return start;
}

export function alignUp(address: number, to: number): number {
  return Math.ceil(address / to) * to;
}

/**
 * Registers what events add to the names: children of fork, VMAs of mmap. `events` are in the order of their time, because a
 * child's name must be known before events use it. Places the VMAs of mmap events that say nothing themselves.
 */
export function registerEventNames(
  context: Context,
  events: readonly { readonly draft: DraftEvent; readonly path: KeyPath }[],
): Map<DraftEvent, number | null> {
  const starts = new Map<DraftEvent, number | null>();
  const declared = new Set(context.processes.keys());
  for (const { draft, path } of events) {
    if (draft.fork !== undefined) registerFork(context, draft, declared, [...path, 'fork']);
    if (draft.mmap === undefined) continue;
    const { process, name, size, at } = draft.mmap;
    const owner = context.processes.get(process.split('.')[0]);
    if (owner === undefined) continue;
    const start = draft.repeat === undefined || at !== undefined ? place(context, owner.family, size, at) : null;
    starts.set(draft, start);
    owner.family.vmas.set(name, { start, size });
  }
  return starts;
}

function registerFork(context: Context, draft: DraftEvent, declared: ReadonlySet<string>, path: KeyPath): void {
  if (draft.fork === undefined) return;
  const { process, as, count = 1 } = draft.fork;
  const parent = findProcess(context, process, [...path, 'process']);
  if (parent === null) return;
  if (declared.has(as)) {
    context.report(
      [...path, 'as'],
      `there already is a process ${JSON.stringify(as)}`,
      'give the children another name',
    );
    return;
  }
  const earlier = context.processes.get(as);
  if (earlier !== undefined && earlier.family !== parent.family) {
    context.report(
      [...path, 'as'],
      `${JSON.stringify(as)} already names children of another process`,
      'use another name',
    );
    return;
  }
  const oneParent = parent.count === 1 || process.includes('.');
  const single = count === 1 && draft.repeat === undefined && earlier === undefined && oneParent;
  context.processes.set(as, { ...parent, count: single ? 1 : null });
}
