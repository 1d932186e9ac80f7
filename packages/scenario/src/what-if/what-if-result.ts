/** Questions and answers of what-if, as plain data. Sizes in bytes, times in ns of virtual time. */
import type { KernelProfile } from '@thplab/sysfs-schema';
import type { KhugepagedResult } from '../report/result.js';

/** A setting to try. */
export interface WhatIfVariant {
  readonly label: string;
  /** Writes on top of the settings of the capture; paths absolute, or below the transparent_hugepage folder. */
  readonly sysfs: readonly { readonly path: string; readonly value: string }[];
  readonly kernel?: KernelProfile;
}

/** Memory of the process. */
export interface WhatIfMemory {
  readonly rss: number;
  readonly anonHuge: number;
  readonly swap: number;
  /** Whole folios mapped, by size (`2M`); anonymous VMAs only. */
  readonly folios: Readonly<Record<string, number>>;
  /** Bytes in them. */
  readonly bySize: Readonly<Record<string, number>>;
}

export interface WhatIfVariantResult {
  readonly label: string;
  readonly kernel: string;
  /** The lines that make a real machine have the setting. */
  readonly shell: readonly string[];
  readonly before: WhatIfMemory;
  readonly after: WhatIfMemory;
  /** Attempts by size and result. */
  readonly collapses: KhugepagedResult['attempts'];
  /** Base pages moved. */
  readonly pagesCopied: number;
  /** khugepaged's processor time. */
  readonly cpuNs: number;
  /** Virtual time of the last collapse; null: there was none. */
  readonly lastCollapseNs: number | null;
  /** When half, 90 % and 99 % of the collapses were done. */
  readonly timeToCover: KhugepagedResult['timeToCover'];
  /** Longest time that mmap_lock was kept for writing. */
  readonly worstStallNs: number;
  readonly allocationFailures: number;
  /** Virtual time that was looked at. */
  readonly scanNs: number;
  /** Nothing changed any more at the end. */
  readonly settled: boolean;
  /** PMD ranges by outcome. */
  readonly outcomes: Readonly<Record<string, number>>;
}

export interface WhatIfResult {
  readonly format: 'thplab/what-if@1';
  readonly process: { readonly name: string; readonly pid: number };
  readonly capturedAt: string;
  readonly release: string;
  readonly variants: readonly WhatIfVariantResult[];
  /** It was stopped before all variants were done. */
  readonly partial: boolean;
  /** What the capture does not tell, and what was taken instead. */
  readonly assumptions: readonly string[];
}
