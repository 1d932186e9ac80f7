// `pnpm check:all`: the whole catalogue of examples/check, each case on its faulty kernel and on the merged one, as a table.
// `--write` puts the table into docs/check.md.

import { scriptArguments } from './lib/command.mjs';
import { handOver } from './lib/hand-over.mjs';
import { inRoot } from './lib/root.mjs';

process.exitCode = await handOver(inRoot('tools/lib/check-catalogue.mjs'), scriptArguments());
