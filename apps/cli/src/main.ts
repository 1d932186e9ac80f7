#!/usr/bin/env node
import { enableCompileCache } from 'node:module';

// Compiled code is kept between runs: it halves the start of the larger verbs.
enableCompileCache?.();
const [{ main }, { processIo }] = await Promise.all([import('./cli.js'), import('./process-io.js')]);
process.exitCode = await main(process.argv.slice(2), processIo());
