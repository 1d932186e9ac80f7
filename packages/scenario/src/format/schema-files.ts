/** Schema of files and shared-memory objects. */
import { z } from 'zod';
import type { DraftCached, DraftFile } from './draft.js';
import { choice, newName, seed, size, strict } from './schema-atoms.js';
import { pageWords, patternShape } from './schema-pages.js';

function layer(): z.ZodType<DraftCached> {
  return strict({
    ...patternShape(),
    state: choice(['present', 'swap']).optional().describe('in memory, or (shmem) swapped out; default present'),
    huge: z.boolean().optional().describe('in folios of PMD size where the pattern fills them; default false'),
    seed: seed().optional(),
  });
}

function cached(): z.ZodType<DraftCached[]> {
  const one = z.union([pageWords().transform((pages): DraftCached => ({ pages })), layer()], {
    error: 'expected full, none, page numbers such as "0-511", or a layer such as {pages: "0-63", state: swap}',
  });
  return z.union([one.transform((single) => [single]), z.array(one).max(1024)], {
    error: 'expected full, none, page numbers, or a list of layers',
  });
}

export function file(): z.ZodType<DraftFile> {
  return strict(
    {
      name: newName(),
      size: size(4096).describe('bytes, a whole number of pages'),
      kind: choice(['shmem', 'file'])
        .optional()
        .describe('shared memory (memfd, tmpfs) or a regular file; default shmem'),
      hugeFolios: z
        .boolean()
        .optional()
        .describe('the file system can hold folios of PMD size in the page cache; default true'),
      openForWrite: z.boolean().optional().describe('somebody has the file open for writing; default false'),
      cached: cached().optional().describe('what is in the page cache when the run starts, mapped by nobody'),
    },
    'a file or a shared-memory object that VMAs map by its name',
  );
}
