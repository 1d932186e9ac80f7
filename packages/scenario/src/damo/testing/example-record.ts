/** The smallest records, made by hand after DAMON spec 8.4. */

interface StoredRegion {
  start: string;
  end: string;
  nr_accesses: { samples: number; percent: number };
  age: { usec: string; aggr_intervals: string };
  probe_hits: number[];
  sz_filter_passed: string;
}

/** One record as damo stores it. */
export interface StoredRecord {
  kdamond_idx: number;
  context_idx: number;
  intervals: { sample_us: string; aggr_us: string; ops_update_us: string };
  scheme_idx: number;
  target_id: number;
  scheme_filters: unknown[];
  snapshots: { start_time: string; end_time: string; total_bytes: string; regions: StoredRegion[] }[];
}

/** Inside of a compressed file. */
export const EXAMPLE_RECORD: StoredRecord[] = [
  {
    kdamond_idx: 0,
    context_idx: 0,
    intervals: { sample_us: '5 ms', aggr_us: '100 ms', ops_update_us: '1 s' },
    scheme_idx: 0,
    target_id: 4242,
    scheme_filters: [],
    snapshots: [
      {
        start_time: '0',
        end_time: '100000000',
        total_bytes: '8388608',
        regions: [
          {
            start: '2097152',
            end: '4194304',
            nr_accesses: { samples: 20, percent: 100 },
            age: { usec: '300 ms', aggr_intervals: '3' },
            probe_hits: [],
            sz_filter_passed: '0 B',
          },
          {
            start: '4194304',
            end: '10485760',
            nr_accesses: { samples: 0, percent: 0 },
            age: { usec: '1 s', aggr_intervals: '10' },
            probe_hits: [],
            sz_filter_passed: '0 B',
          },
        ],
      },
    ],
  },
];

/** The same as perf script prints it. */
export const EXAMPLE_TRACE: string = [
  'kdamond.0  4452 [000] 82877.315633: damon:damon_aggregated: target_id=4242 nr_regions=2 2097152-4194304: 20 3',
  'kdamond.0  4452 [000] 82877.315634: damon:damon_aggregated: target_id=4242 nr_regions=2 4194304-10485760: 0 10',
].join('\n');
