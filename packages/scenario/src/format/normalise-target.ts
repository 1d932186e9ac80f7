/** Which part of which address space an action means. */
import { type Context, findProcess, findVma, type KnownProcess, type KnownVma } from './context.js';
import type { DraftPages, DraftRange, DraftTarget } from './draft.js';
import { normalisePattern } from './normalise-pages.js';
import { alignUp } from './normalise-process.js';
import type { KeyPath } from './problems.js';
import type { PagePattern, Run, Span } from './scenario.js';

/** Start (address 0 for a VMA that the runner places) and number of the whole blocks of a VMA. */
export function wholeBlocks(context: Context, vma: KnownVma): { first: number; offset: number; count: number } {
  const { blockSize } = context.machine;
  const start = vma.start ?? 0;
  const first = alignUp(start, blockSize);
  const count = Math.max(0, Math.floor((start + vma.size - first) / blockSize));
  return { first, offset: first - start, count };
}

/** Span of a call that takes one range of addresses. */
export function normaliseRange(context: Context, draft: DraftRange, path: KeyPath): Span {
  const span = normaliseSpan(context, draft, path, ['pages']);
  if (draft.pages === undefined) return span;
  const { pageSize } = context.machine;
  const one = oneRun(context, draft.pages, [...path, 'pages'], Math.max(1, span.length / pageSize), 'page');
  return { ...span, start: one.first * pageSize, length: one.count * pageSize };
}

/** Span and pattern of an action on any set of pages. */
export function normalisePagesTarget(
  context: Context,
  draft: DraftPages,
  path: KeyPath,
): { readonly span: Span; readonly pages: PagePattern } {
  const span = normaliseSpan(context, draft, path, []);
  const count = Math.max(1, Math.floor(span.length / context.machine.pageSize));
  return { span, pages: normalisePattern(context, draft, count, path) };
}

function normaliseSpan(context: Context, draft: DraftTarget, path: KeyPath, more: readonly 'pages'[]): Span {
  const nowhere = { process: draft.process, vma: null, start: 0, length: 2 ** 47 };
  const process = findProcess(context, draft.process, [...path, 'process']);
  if (process === null) return nowhere;
  if (draft.address !== undefined) return absoluteSpan(context, draft, draft.address, path);
  const [only] = process.family.vmas.size === 1 ? process.family.vmas.keys() : [];
  const name = draft.vma ?? only;
  if (name === undefined) {
    context.report(path, 'this does not say where', () => whereHint(process), 'key');
    return nowhere;
  }
  const vma = findVma(context, process, name, [...path, 'vma']);
  if (vma === null) return nowhere;
  reportSeveral(context, draft, path, more);
  const span = { process: draft.process, vma: name, start: 0, length: vma.size };
  if (draft.blocks !== undefined) return blockSpan(context, draft.blocks, vma, span, [...path, 'blocks']);
  if (draft.offset === undefined && draft.size === undefined) return span;
  const offset = draft.offset ?? 0;
  if (offset >= vma.size)
    context.report([...path, 'offset'], 'offset is behind the end of the VMA', 'expected less than its size');
  // A size that reaches beyond the VMA is allowed: calls over several VMAs and over holes are worth trying.
  return { ...span, start: offset, length: draft.size ?? Math.max(0, vma.size - offset) };
}

function reportSeveral(
  context: Context,
  draft: DraftTarget & { pages?: unknown },
  path: KeyPath,
  more: readonly 'pages'[],
): void {
  const ways = (['blocks', 'offset', ...more] as const).filter((key) => draft[key] !== undefined);
  if (ways.length > 1)
    context.report([...path, ways[1]], `${ways.join(' and ')} both say where`, 'keep one of them', 'key');
  if (draft.size !== undefined && (draft.blocks !== undefined || (more.length > 0 && draft.pages !== undefined))) {
    context.report([...path, 'size'], 'size goes with offset or address', 'remove it', 'key');
  }
}

function absoluteSpan(context: Context, draft: DraftTarget, address: number, path: KeyPath): Span {
  for (const key of ['vma', 'blocks', 'offset'] as const) {
    if (draft[key] !== undefined) context.report([...path, key], `${key} beside address`, 'keep one of them', 'key');
  }
  return { process: draft.process, vma: null, start: address, length: draft.size ?? context.machine.pageSize };
}

function blockSpan(context: Context, blocks: readonly Run[], vma: KnownVma, span: Span, path: KeyPath): Span {
  const whole = wholeBlocks(context, vma);
  const run = oneRun(context, blocks, path, whole.count, 'block');
  const { blockSize } = context.machine;
  return { ...span, start: whole.offset + run.first * blockSize, length: run.count * blockSize };
}

function oneRun(context: Context, runs: readonly Run[], path: KeyPath, limit: number, what: string): Run {
  if (runs.length !== 1)
    context.report(path, `several runs of ${what}s`, 'this call takes one range: write one event for each');
  const [run] = runs;
  if (run.first + run.count > limit) {
    const hint = limit === 0 ? `the VMA has no whole ${what}` : `the ${what}s of the VMA are 0 to ${limit - 1}`;
    context.report(path, `there is no ${what} ${run.first + run.count - 1}`, hint);
  }
  return run;
}

function whereHint(process: KnownProcess): string {
  const names = [...process.family.vmas.keys()].slice(0, 12).join(', ');
  return `expected vma${names === '' ? '' : ` (${names})`}, or address and size`;
}
