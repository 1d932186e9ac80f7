#!/usr/bin/env node
import module from 'node:module';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 12)) {
  process.stderr.write(`thplab needs Node 22.12 or later; this is ${process.version}\n`);
  process.exit(2);
}
// Compiled code is kept between runs: it halves the start of the larger verbs.
module.enableCompileCache?.();
const [{ main }, { processIo }] = await Promise.all([import('./cli.js'), import('./process-io.js')]);
process.exitCode = await main(process.argv.slice(2), processIo());
