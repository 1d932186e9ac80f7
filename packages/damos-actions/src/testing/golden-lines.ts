/** DAMON spec 7: the text of each tracepoint, numbers as patterns. damo parses these. */
export const DAMON_LINES = [
  { event: 'damon_aggregated', pattern: 'target_id=\\d+ nr_regions=\\d+ \\d+-\\d+: \\d+ \\d+' },
  {
    event: 'damos_before_apply',
    pattern: 'ctx_idx=\\d+ scheme_idx=\\d+ target_idx=\\d+ nr_regions=\\d+ \\d+-\\d+: \\d+ \\d+',
  },
  { event: 'damon_monitor_intervals_tune', pattern: 'sample_us=\\d+' },
  { event: 'damos_esz', pattern: 'ctx_idx=\\d+ scheme_idx=\\d+ esz=\\d+' },
  {
    event: 'damos_stat_after_apply_interval',
    pattern:
      'ctx_idx=0 scheme_idx=[01] nr_tried=\\d+ sz_tried=\\d+ nr_applied=\\d+ sz_tried=\\d+ sz_ops_filter_passed=\\d+ qt_exceeds=\\d+ nr_snapshots=\\d+',
  },
] as const;
