/**
 * First pass over a scenario text: tokens, counted while they come, so that a hostile text is refused before a tree of it
 * exists. Refuses tags and directives, which a scenario never needs, and everything over its limit.
 */
import { CST, Lexer, Parser } from 'yaml';
import type { ScenarioLimits } from './limits.js';

/** The text is refused at `offset`. Internal: becomes a Problem of the ScenarioError. */
export class Refusal extends Error {
  override readonly name: string = 'Refusal';
  readonly offset: number;
  readonly hint: string;

  constructor(offset: number, message: string, hint: string) {
    super(message);
    this.offset = offset;
    this.hint = hint;
  }
}

/**
 * Concrete syntax tokens of the text, one per document and directive.
 * Errors: Refusal as soon as a limit is passed or a refused construct stands in the text.
 */
export function readTokens(text: string, limits: ScenarioLimits): CST.Token[] {
  if (text.length > limits.maxLength) {
    throw new Refusal(0, `the file has ${text.length} characters`, `the limit is ${limits.maxLength}`);
  }
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let count = 0;
  let aliases = 0;
  for (const source of new Lexer().lex(text)) {
    if (++count > limits.maxTokens) {
      throw new Refusal(
        parser.offset,
        `more than ${limits.maxTokens} tokens`,
        'describe patterns instead of listing pages',
      );
    }
    if (source.length > limits.maxStringLength) {
      throw new Refusal(
        parser.offset,
        `a text of ${source.length} characters`,
        `the limit is ${limits.maxStringLength}`,
      );
    }
    const type = CST.tokenType(source);
    if (type === 'alias' && ++aliases > limits.maxAliases) {
      throw new Refusal(parser.offset, `more than ${limits.maxAliases} aliases`, 'write the values out, or use count:');
    }
    refuseToken(type, source, parser.offset);
    for (const token of parser.next(source)) tokens.push(token);
    if (parser.stack.length > limits.maxDepth * 2) {
      throw new Refusal(parser.offset, 'nested too deeply', `the limit is ${limits.maxDepth} levels`);
    }
  }
  for (const token of parser.end()) tokens.push(token);
  return tokens;
}

function refuseToken(type: CST.TokenType | null, source: string, offset: number): void {
  // After the scalar marker \x1f comes a plain scalar, whose first character may look like anything: the lexer emits the
  // marker as a token of its own, and plain scalars never start with ! or %, so the test on the type is enough.
  if (type === 'tag') throw new Refusal(offset, `the tag ${quote(source)} is not allowed`, 'write the plain value');
  if (type === 'directive-line') {
    throw new Refusal(
      offset,
      `the directive ${quote(source)} is not allowed`,
      'start with "format: thplab/scenario@1"',
    );
  }
}

function quote(source: string): string {
  return JSON.stringify(source.length > 40 ? `${source.slice(0, 40)}...` : source.trim());
}
