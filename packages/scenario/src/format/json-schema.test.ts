import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { scenarioJsonSchema, scenarioJsonSchemaText } from './index.js';

const file = fileURLToPath(new URL('../../schema/scenario-1.schema.json', import.meta.url));

describe('scenarioJsonSchema', () => {
  it('is what schema/scenario-1.schema.json holds (update it with: vitest run packages/scenario -u)', async () => {
    await expect(scenarioJsonSchemaText()).toMatchFileSnapshot(file);
    expect(JSON.parse(scenarioJsonSchemaText())).toEqual(scenarioJsonSchema());
  });

  it('is draft-07 and closes every object of the format', () => {
    const schema = scenarioJsonSchema();
    expect(schema.$schema).toBe('http://json-schema.org/draft-07/schema#');
    const open: string[] = [];
    visit(schema, '#', (node, path) => {
      if (node.type === 'object' && node.additionalProperties === undefined) open.push(path);
    });
    expect(open).toEqual([]);
  });

  it('refers only to definitions that it has', () => {
    const schema = scenarioJsonSchema();
    const defined = Object.keys(schema.definitions as object).map((name) => `#/definitions/${name}`);
    visit(schema, '#', (node, path) => {
      if (typeof node.$ref === 'string') expect(defined, path).toContain(node.$ref);
    });
    expect(defined).toContain('#/definitions/size');
  });

  it('explains what a writer meets first', () => {
    const text = JSON.stringify(scenarioJsonSchema());
    for (const words of ['base page size', 'GUP pin', 'kernel profile', 'what must hold'])
      expect(text).toContain(words);
  });
});

function visit(node: unknown, path: string, see: (node: Record<string, unknown>, path: string) => void): void {
  if (typeof node !== 'object' || node === null) return;
  if (!Array.isArray(node)) see(node as Record<string, unknown>, path);
  for (const [key, value] of Object.entries(node)) visit(value, `${path}/${key}`, see);
}
