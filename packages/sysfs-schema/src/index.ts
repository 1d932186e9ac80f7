/** The huge page sysfs as data. The README groups these names by what they are for. */

export { checkWrite } from './check-write.js';
export * from './choices.js';
export * from './counters.js';
export type * from './damon/node.js';
export {
  DAMON_BASE_ACTIONS,
  DAMON_ROOT,
  DAMON_TREES,
  type DamonTreeName,
  damonTree,
  damonTreeOf,
  damonTreeOfProfile,
} from './damon/trees.js';
export {
  type DamonTemplate,
  type DamonWriteResult,
  damonDeclAt,
  damonPath,
  damonTemplates,
  describeDamonGrammar,
  kstrtoBase0,
  parseDamonWrite,
} from './damon/values.js';
export { SysfsSchemaError, type SysfsSchemaErrorCode } from './errors.js';
export { formatRead, formatValue, parseRead } from './format-read.js';
export * from './geometry.js';
export {
  type BootMachine,
  type BootProblem,
  type BootSettings,
  defaultSettings,
  parseBootOptions,
} from './initial.js';
export { kstrtobool, kstrtouint, kstrtoul, type ParsedNumber, sysfsStreq } from './kstrto.js';
export { renderMarkdownTable } from './markdown.js';
export type * from './node.js';
export * from './order-masks.js';
export { describeGrammar, parseWrite, type WriteResult } from './parse-write.js';
export * from './paths.js';
export * from './profiles.js';
export * from './settings.js';
export { describeDifference, exportShell, requireFile, type SettingDifference, shellQuote } from './shell.js';
export { filesOf, isWritable, SYSFS_ROOT, sysfsTree } from './tree.js';
export { describeVmstat, formatVmstat, type VmstatDescription } from './vmstat.js';
