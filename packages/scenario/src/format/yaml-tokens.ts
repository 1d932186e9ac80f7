/**
 * First pass over a scenario text: tokens, counted while they come, so that a hostile text is refused before a tree of it
 * exists. Refuses tags and directives, which a scenario never needs, and everything over its limit.
 */
import { CST, Lexer, Parser } from 'yaml';
import type { ScenarioLimits } from './limits.js';

/** Syntax errors after which the rest of a text is not read any more. */
const MAX_SYNTAX_ERRORS = 50;

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
  let errors = 0;
  let documents = 0;
  let previous = '';
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
    // The text of a plain or block scalar follows its marker, and may start like a token of another kind.
    const first = previous === CST.SCALAR ? '' : source[0];
    previous = source;
    if (first === '*' && ++aliases > limits.maxAliases) {
      throw new Refusal(parser.offset, `more than ${limits.maxAliases} aliases`, 'write the values out, or use count:');
    }
    refuseToken(first, source, parser.offset);
    for (const token of parser.next(source)) {
      tokens.push(token);
      if (token.type === 'error') errors++;
      if (token.type === 'document') documents++;
    }
    // Enough to refuse it: the rest need not be read.
    if (errors > MAX_SYNTAX_ERRORS || documents > 1) return tokens;
    if (parser.stack.length > limits.maxDepth * 2) {
      throw new Refusal(parser.offset, 'nested too deeply', `the limit is ${limits.maxDepth} levels`);
    }
  }
  for (const token of parser.end()) tokens.push(token);
  return tokens;
}

function refuseToken(first: string, source: string, offset: number): void {
  if (first === '!') throw new Refusal(offset, `the tag ${quote(source)} is not allowed`, 'write the plain value');
  if (first === '%') {
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
