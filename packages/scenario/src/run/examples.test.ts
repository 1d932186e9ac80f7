import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseScenario } from '../format/index.js';
import { runScenario } from './run-scenario.js';

const folder = fileURLToPath(new URL('../../../../examples/', import.meta.url));
const only = process.env['EXAMPLE'];
const files = readdirSync(folder).filter(
  (name) => name.endsWith('.yaml') && (only === undefined || name.includes(only)),
);

describe('examples', () => {
  it.each(files)('%s does what it expects', (name) => {
    const scenario = parseScenario(readFileSync(`${folder}${name}`, 'utf8'), { path: name });
    const start = performance.now();
    const { result } = runScenario(scenario);
    console.log(name, performance.now() - start, JSON.stringify(result.end));
    if (only !== undefined) console.log(JSON.stringify({ ...result, timeline: [] }, null, 1));
    expect(result.expectations.filter((one) => !one.ok)).toEqual([]);
    expect(result.invariants ?? []).toEqual([]);
  });
});
