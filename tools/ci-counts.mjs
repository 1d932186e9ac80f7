// The last line of `.ci/run`: `N passed, N failed`. Argument: the exit code of `npm test`. Leaves with 0 only when
// that was 0 and vitest's report says that nothing failed.

import { testReport } from './lib/root.mjs';
import { countTests, withExitCode } from './lib/test-report.mjs';

const exitCode = Number(process.argv[2] ?? 1);
const { passed, failed } = withExitCode(countTests(testReport), exitCode);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? exitCode || 1 : 0;
