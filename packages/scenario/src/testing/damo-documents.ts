/** damo documents made by hand after DAMON spec 8.3 and 8.7, each shape that there is. */

/** One of each thing that a kdamonds document can have, as damo 3.3 prints it. */
export const KDAMONDS_JSON = `{"kdamonds":[{"refresh_ms":0,"contexts":[{
  "ops":"vaddr","addr_unit":"1 B",
  "targets":[{"pid":4242,"obsolete":false,"regions":[{"start":"2,097,152","end":"10,485,760"}]}],
  "intervals":{"sample_us":"5 ms","aggr_us":"100 ms","ops_update_us":"1 s",
    "intervals_goal":{"access_bp":"0 %","aggrs":"0","min_sample_us":"0 ns","max_sample_us":"0 ns"}},
  "nr_regions":{"min":"10","max":"1,000"},
  "probes":[],"sample_control":{"primitives_enabled":{"page_table":true,"page_fault":false},"sample_filters":[]},
  "pause":false,
  "schemes":[{
    "action":"collapse","dests":[],
    "access_pattern":{"sz_bytes":{"min":"2.000 MiB","max":"max"},
      "nr_accesses":{"min":"50 %","max":"100 %"},"age":{"min":"1 s","max":"max"}},
    "apply_interval_us":"0 ns",
    "quotas":{"time_ms":"0 ns","sz_bytes":"128.000 MiB","reset_interval_ms":"1 s",
      "fail_charge_num":"0","fail_charge_denom":"0","goals":[],"goal_tuner":"consist",
      "effective_sz_bytes":"0 B",
      "weights":{"sz_permil":"0.1 %","nr_accesses_permil":"0.1 %","age_permil":"0.1 %"}},
    "watermarks":{"metric":"none","interval_us":"0 ns","high_permil":"0 %","mid_permil":"0 %","low_permil":"0 %"},
    "filters":[{"filter_type":"addr","matching":true,"allow":true,"memcg_path":null,
      "address_range":{"start":"2,097,152","end":"6,291,456"},
      "damon_target_idx":null,"hugepage_size":null}]
  }]}]}]}`;

/** The same in YAML, shorter, with other units: bare numbers, samples, aggregations, old filter_pass. */
export const KDAMONDS_YAML = `kdamonds:
- contexts:
  - ops: paddr
    targets:
    - pid: null
      regions: [{start: 4.0 K, end: 256 MiB}]
    schemes:
    - action: pageout
      apply_interval_us: 1 s
      access_pattern:
        sz_bytes: {min: 4.0 K, max: max}
        nr_accesses: {min: 0 samples, max: 3 samples}
        age: {min: 3 aggr_intervals, max: max}
      quotas:
        time_ms: 10
        sz_bytes: 128M
        reset_interval_ms: 1 s
        weights: {sz_permil: 0 %, nr_accesses_permil: 5 %, age_permil: 7}
        goals: [{metric: node_mem_free_bp, nid: 0, target_value: 5 %, current_value: 0}]
      watermarks: {metric: free_mem_rate, interval_us: 5 s, high_permil: 50 %, mid_permil: 40 %, low_permil: 200}
      filters:
      - {filter_type: hugepage_size, matching: true, hugepage_size: [2M, 2M]}
      - {filter_type: anon, matching: false, filter_pass: true}
    - action: stat
`;

/** A bare list of schemes, as older tools have it: the preset "ethp" (DAMON spec 8.7). */
export const SCHEMES_ONLY = `[
  {"action": "hugepage", "access_pattern": {"sz_bytes": {"min": "0 B", "max": "max"},
    "nr_accesses": {"min": "5 %", "max": "100 %"}, "age": {"min": "0 s", "max": "max"}}},
  {"action": "nohugepage", "access_pattern": {"sz_bytes": {"min": "2 MiB", "max": "max"},
    "nr_accesses": {"min": "0 %", "max": "0 %"}, "age": {"min": "7 s", "max": "max"}}}
]`;
