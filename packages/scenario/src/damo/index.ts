/** damo's texts and files: numbers, records, reports (DAMON spec 8). */
export * from './number-text.js';
export { readDamoRecord } from './read-record.js';
export * from './record.js';
export { DamoRecordError } from './record-error.js';
export { detailedAccess, rawAccess } from './report/access.js';
export {
  atPercentile,
  DAMO_DISTRIBUTION,
  type Distribution,
  type DistributionOptions,
  regionCounts,
  regionCountsText,
  workingSetSizes,
  wssText,
} from './report/distribution.js';
export {
  areasOf,
  type Heatmap,
  type HeatmapOptions,
  heatmap,
  heatmapGuide,
  heatmapRaw,
  heatmapText,
} from './report/heatmap.js';
export { DAMO_WEIGHTS, idleNs, percentOf, type TemperatureWeights, temperature } from './report/temperature.js';
export { writeDamoRecord } from './write-record.js';
