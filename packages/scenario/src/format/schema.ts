/**
 * The one schema of `thplab/scenario@1`: the parser validates with it, and the JSON Schema for editors is generated from it.
 * What needs more than one place of the file (names, page sizes, overlaps) is checked in normalise.ts.
 */
import { z } from 'zod';
import type { Draft } from './draft.js';
import { seed, strict } from './schema-atoms.js';
import { damon } from './schema-damon.js';
import { event, pagesShape } from './schema-events.js';
import { expectations, run } from './schema-expect.js';
import { file } from './schema-files.js';
import { hints } from './schema-hints.js';
import { machine, sysfs } from './schema-machine.js';
import { process } from './schema-process.js';
import { workload } from './schema-workload.js';

export const FORMAT = 'thplab/scenario@1';

/** The name is printed on terminals: no control characters. */
const ONE_LINE = /^\P{Cc}*$/u;
const NAME_HINT = 'expected a short text without line breaks or control characters';

export const scenarioSchema: z.ZodType<Draft> = strict(
  {
    format: z.literal(FORMAT),
    name: z.string().min(1).max(120).regex(ONE_LINE, { error: NAME_HINT }).describe('short name, printed in results'),
    description: z.string().max(65_536).optional(),
    seed: seed().optional().describe('every random choice derives from it; default 1'),
    machine: machine().optional(),
    sysfs: sysfs().optional(),
    files: z.array(file()).max(4096).optional().describe('files and shared memory that processes map by name'),
    processes: z.array(process()).max(4096).optional(),
    damon: damon().optional().describe('kdamonds: what they monitor, and schemes that act on it'),
    workload: workload().optional().describe('what the processes do to their memory while the run goes on'),
    hints: hints(pagesShape()).optional(),
    events: z.array(event()).max(65_536).optional(),
    run: run().optional(),
    expect: expectations().optional(),
  },
  'A scenario of thplab: a machine, its settings, processes, events, how long to run, and what must come out',
);
