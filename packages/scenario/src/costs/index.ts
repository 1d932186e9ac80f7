export { COSTS_FORMAT, type CostFile, costFileText, parseCostFile } from './cost-file.js';
export { fitCosts, type MeasuredTimes } from './fit.js';
export { predictCollapse } from './predict.js';
export { CALIBRATION, type CollapseWorkload, UNSEEN, type WorkloadStep } from './workloads.js';
