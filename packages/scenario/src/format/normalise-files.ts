/** Files and shared-memory objects: names, sizes, and what VMAs map of them. */
import { type Context, findFile } from './context.js';
import type { DraftCached, DraftFile, DraftVma } from './draft.js';
import { normalisePattern } from './normalise-pages.js';
import { formatKey, type KeyPath } from './problems.js';
import type { CachedLayer, FileSpec, VmaKind } from './scenario.js';
import { formatSize } from './units.js';

/** The files of the scenario; registers their names in the context. */
export function normaliseFiles(context: Context, drafts: readonly DraftFile[]): FileSpec[] {
  return drafts.map((draft, index) => normaliseFile(context, draft, ['files', index]));
}

function normaliseFile(context: Context, draft: DraftFile, path: KeyPath): FileSpec {
  const { pageSize } = context.machine;
  if (context.files.has(draft.name)) {
    context.report([...path, 'name'], `a second file ${JSON.stringify(draft.name)}`, 'give each its own name');
  }
  if (draft.size % pageSize !== 0) {
    context.report(
      [...path, 'size'],
      'size is no multiple of the page size',
      `expected a multiple of ${formatSize(pageSize)}`,
    );
  }
  const kind = draft.kind ?? 'shmem';
  context.files.set(draft.name, { kind, size: draft.size });
  const pages = Math.max(1, Math.floor(draft.size / pageSize));
  const layers = draft.cached ?? [];
  return {
    key: formatKey(path),
    name: draft.name,
    kind,
    size: draft.size,
    hugeFolios: draft.hugeFolios ?? true,
    openForWrite: draft.openForWrite ?? false,
    cached: layers.map((layer, i) => normaliseCached(context, layer, kind, pages, [...path, 'cached', i])),
  };
}

function normaliseCached(
  context: Context,
  draft: DraftCached,
  kind: 'shmem' | 'file',
  pages: number,
  path: KeyPath,
): CachedLayer {
  const state = draft.state ?? 'present';
  if (state === 'swap' && kind === 'file') {
    context.report(
      [...path, 'state'],
      'pages of a regular file are not swapped out',
      'expected present, or kind: shmem',
    );
  }
  if (state === 'swap' && draft.huge === true) {
    context.report([...path, 'huge'], 'swapped-out pages are in no folio', 'remove huge', 'key');
  }
  return {
    key: formatKey(path),
    pattern: normalisePattern(context, draft, pages, path),
    state,
    huge: draft.huge ?? false,
    seed: draft.seed ?? null,
  };
}

/** What a VMA maps of which file. */
export interface MappedFile {
  readonly kind: VmaKind;
  readonly file: string | null;
  readonly offset: number;
}

/** The file behind a VMA; reports a name that is none, a kind that is another's, and an offset that is no page's. */
export function normaliseMappedFile(context: Context, draft: DraftVma, path: KeyPath): MappedFile {
  const { pageSize } = context.machine;
  if (draft.flags?.includes('private') && draft.flags.includes('shared')) {
    context.report([...path, 'flags'], 'private and shared at once', 'keep one of them');
  }
  if (draft.file === undefined) {
    if (draft.offset !== undefined) {
      context.report([...path, 'offset'], 'offset is a place in a file', 'name the file: file: NAME', 'key');
    }
    return { kind: draft.kind ?? 'anon', file: null, offset: 0 };
  }
  const offset = draft.offset ?? 0;
  if (offset % pageSize !== 0) {
    const hint = `expected a multiple of ${formatSize(pageSize)}`;
    context.report([...path, 'offset'], 'offset is no multiple of the page size', hint);
  }
  const known = findFile(context, draft.file, [...path, 'file']);
  const kind = known?.kind ?? draft.kind ?? 'shmem';
  if (draft.kind !== undefined && draft.kind !== kind) {
    context.report(
      [...path, 'kind'],
      `${JSON.stringify(draft.file)} is of kind ${kind}`,
      `expected ${kind}, or no kind`,
    );
  }
  return { kind, file: draft.file, offset };
}
