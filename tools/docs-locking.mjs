// `pnpm docs:locking`: the lock order, the guards of columns and the accesses without locks, from the code's own tables.
// `--write` puts them into docs/locking.md.

import { scriptArguments } from './lib/command.mjs';
import { handOver } from './lib/hand-over.mjs';
import { inRoot } from './lib/root.mjs';

process.exitCode = await handOver(inRoot('tools/lib/locking-page.mjs'), scriptArguments());
