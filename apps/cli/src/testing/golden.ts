/** Outputs kept as files beside the tests. `UPDATE_GOLDEN=1` writes them anew; read the difference before committing it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

/**
 * Expects a text to equal the file `NAME.golden.txt`.
 *
 * @param folder of the test: `import.meta.dirname`
 */
export function expectGolden(folder: string, name: string, text: string): void {
  const file = join(folder, `${name}.golden.txt`);
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, text);
  if (!existsSync(file)) throw new Error(`${file} is missing; UPDATE_GOLDEN=1 writes it`);
  expect(text).toBe(readFileSync(file, 'utf8'));
}
