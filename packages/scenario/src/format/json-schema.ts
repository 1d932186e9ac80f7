/** The JSON Schema (draft-07) that editors read, generated from the one schema. */
import { z } from 'zod';
import { scenarioSchema } from './schema.js';

export const SCHEMA_ID = 'urn:thplab:scenario:1';

/** JSON Schema of a scenario file as written (not of the normalised Scenario). */
export function scenarioJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(scenarioSchema, { target: 'draft-7', io: 'input', reused: 'inline' });
  return { $schema: schema.$schema, $id: SCHEMA_ID, title: 'thplab scenario', ...schema };
}
