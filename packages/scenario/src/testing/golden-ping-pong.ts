/**
 * Golden data of DAMON spec 4.6: eight huge pages that a scheme splits and khugepaged builds again, under each design. The
 * specification names the designs and what is measured; the bounds are ours.
 */
export const PING_PONG = {
  blocks: 8,
  bytesEach: 2 ** 21,
  /** Splits; re-collapses, of which there are at most this share of those without a design. */
  designs: [
    { row: '4.6 1', design: 'none', splits: { min: 9, max: 1_000 }, recollapses: { min: 9, shareAtMost: 1 } },
    { row: '4.6 2', design: 'nohugepage', splits: { min: 8, max: 8 }, recollapses: { min: 0, shareAtMost: 0 } },
    { row: '4.6 3', design: 'cooldown', splits: { min: 9, max: 16 }, recollapses: { min: 1, shareAtMost: 0.5 } },
    { row: '4.6 4', design: 'strict', splits: { min: 9, max: 1_000 }, recollapses: { min: 1, shareAtMost: 0.9 } },
    { row: '4.6 5', design: 'hints', splits: { min: 8, max: 8 }, recollapses: { min: 0, shareAtMost: 0 } },
    { row: '4.6 6', design: 'hysteresis', splits: { min: 0, max: 8 }, recollapses: { min: 0, shareAtMost: 0 } },
  ],
} as const;
