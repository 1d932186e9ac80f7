import { readFileSync } from 'node:fs';
import { it } from 'vitest';
import { parseScenario, runScenario } from '../index.js';

it.runIf(process.env['SCEN'] !== undefined)('runs', () => {
  for (const path of (process.env['SCEN'] ?? '').split(',')) {
    const s = parseScenario(readFileSync(path, 'utf8'), { path });
    const t = performance.now();
    const { result } = runScenario(s);
    console.log(
      path,
      Math.round(performance.now() - t),
      'ms',
      JSON.stringify(result.processes.map((p) => p.tlb)),
      JSON.stringify((result as any).damon),
      JSON.stringify(result.expectations.map((e) => [e.what, e.expected, e.actual, e.ok])),
      JSON.stringify(result.invariants),
      JSON.stringify(result.processes.map((p) => [p.rss, p.anonHuge, p.failures])),
    );
  }
}, 300000);
