/** Limits on a scenario text. All of them are checked before, or while, the text is read; none after the work is done. */
export interface ScenarioLimits {
  /** Length of the text in UTF-16 code units. */
  readonly maxLength: number;
  /** Nesting of lists and maps. */
  readonly maxDepth: number;
  /** Lexical tokens of the text. */
  readonly maxTokens: number;
  /** Values after aliases are expanded. */
  readonly maxNodes: number;
  /** Uses of an anchor. */
  readonly maxAliases: number;
  /** Length of one key. */
  readonly maxKeyLength: number;
  /** Length of one text value. */
  readonly maxStringLength: number;
}

export const DEFAULT_LIMITS: ScenarioLimits = {
  maxLength: 4 * 1024 * 1024,
  maxDepth: 24,
  maxTokens: 400_000,
  maxNodes: 100_000,
  maxAliases: 100,
  maxKeyLength: 256,
  maxStringLength: 256 * 1024,
};
