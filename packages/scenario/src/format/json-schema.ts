/** The JSON Schema (draft-07) that editors read, generated from the one schema. */
import { z } from 'zod';
import { scenarioSchema } from './schema.js';

export const SCHEMA_ID = 'urn:thplab:scenario:1';

/** JSON Schema of a scenario file as written (not of the normalised Scenario). */
export function scenarioJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(scenarioSchema, { target: 'draft-7', io: 'input', reused: 'inline' });
  return { $schema: schema.$schema, $id: SCHEMA_ID, title: 'thplab scenario', ...schema };
}

/** The same as the text of schema/scenario-1.schema.json: objects over several lines, short lists on one. */
export function scenarioJsonSchemaText(): string {
  return `${print(scenarioJsonSchema(), 0, 0)}\n`;
}

const LINE_WIDTH = 120;

function print(value: unknown, depth: number, column: number): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const pad = '  '.repeat(depth + 1);
  const end = `\n${'  '.repeat(depth)}`;
  if (Array.isArray(value)) {
    const short = `[${value.map((one) => JSON.stringify(one)).join(', ')}]`;
    const scalars = value.every((one) => typeof one !== 'object');
    // The comma that may follow counts.
    if (scalars && column + short.length < LINE_WIDTH) return short;
    return `[\n${value.map((one) => `${pad}${print(one, depth + 1, pad.length)}`).join(',\n')}${end}]`;
  }
  const lines = Object.entries(value).map(([key, one]) => {
    const name = `${pad}${JSON.stringify(key)}: `;
    return `${name}${print(one, depth + 1, name.length)}`;
  });
  return lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}${end}}`;
}
