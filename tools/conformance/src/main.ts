import { stepText } from './case.js';
import { CASES } from './cases/index.js';
import { compareCase } from './compare-case.js';
import { thisKernel } from './machine.js';
import { RealChild } from './real/real-child.js';

const k = await thisKernel();
if ('skipped' in k) {
  console.log(k.skipped);
  process.exit(0);
}
const child = new RealChild(1);
const only = process.argv[2];
const counts: Record<string, number> = {};
let rep = 0;
const t = performance.now();
for (const c of CASES) {
  if (only && !c.name.includes(only)) continue;
  const r = await compareCase(c, child, k.options);
  counts[r.verdict] = (counts[r.verdict] ?? 0) + 1;
  rep += r.repeats;
  if (r.verdict !== 'agrees') {
    console.log(r.verdict, c.name, r.why ?? '');
    console.log('     ', c.steps.map(stepText).join('; '));
    for (const d of r.differences)
      console.log('    ', d.what, '\n        kernel:', d.kernel, '\n        model: ', d.model);
  } else if (r.repeats) console.log('repeated', r.repeats, c.name);
}
console.log(counts, rep, performance.now() - t);
child.close();
