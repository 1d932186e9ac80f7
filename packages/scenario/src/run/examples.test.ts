import { describe, it } from 'vitest';
import { examples, expectToHold } from '../testing/examples.js';

describe('an example', () => {
  it.each(examples(true))(
    '%s does what it expects, leaves a sound machine, and gives the same bytes again',
    (_name, scenario) => {
      expectToHold(scenario);
    },
  );
});
