import { describe, it } from 'vitest';
import { examples, expectToHold } from '../testing/examples.js';

// In a file of its own: it takes most of a minute, and files run side by side.
describe('an example with much memory', () => {
  it.each(examples(false))('%s does what it expects, and gives the same bytes again', (_name, scenario) => {
    expectToHold(scenario);
  });
});
