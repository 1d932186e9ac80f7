/** What what-if and its workers say to each other; all of it can be cloned. */
import type { Snapshot } from '@thplab/capture';
import type { SentError } from '@thplab/sync';
import type { Problem } from '../format/index.js';
import type { WhatIfOptions } from '../what-if/what-if.js';
import type { WhatIfVariant, WhatIfVariantResult } from '../what-if/what-if-result.js';

/** Data that each worker starts with. */
export interface WhatIfWorkerData {
  readonly snapshot: Snapshot;
  readonly options: Omit<WhatIfOptions, 'shouldStop'>;
  readonly shared: WhatIfShared;
}

/** Words that all of them share. */
export interface WhatIfShared {
  /** Int32: 1: stop at the next piece. */
  readonly stop: SharedArrayBuffer;
  /** Float64 by variant: how far its time is. */
  readonly virtualNs: SharedArrayBuffer;
}

/** A variant to try. */
export interface VariantTask {
  readonly number: number;
  readonly variant: WhatIfVariant;
}

/** What came of it. */
export interface VariantAnswer {
  readonly number: number;
  readonly outcome:
    | { readonly result: WhatIfVariantResult }
    | { readonly stopped: true }
    /** Of a ScenarioError. */
    | { readonly problems: readonly Problem[] }
    | { readonly error: SentError };
}
