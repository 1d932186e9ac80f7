/**
 * Second pass: from syntax tokens to plain values with their places in the text.
 *
 * Own conversion instead of the library's toJS: it counts values after alias expansion, refuses duplicate and odd keys,
 * numbers that are not finite and cyclic aliases, and remembers where each key and value stands.
 */
import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
} from 'yaml';
import type { ScenarioLimits } from './limits.js';
import type { KeyPath, Problem } from './problems.js';
import { formatKey } from './problems.js';
import { Refusal, readTokens } from './yaml-tokens.js';

interface Place {
  readonly key: number;
  readonly value: number;
}

/** Plain values of a text (`value`), with the place of each. */
export interface SourceTree {
  readonly value: unknown;
  /** Line and column, both from 1, of the value at `path`, of its key, or of the nearest enclosing thing that exists. */
  locate(path: KeyPath, which: 'key' | 'value'): { line: number; column: number };
}

export type ReadResult = { readonly tree: SourceTree } | { readonly problems: readonly Problem[] };

/** Reads a YAML or JSON text under limits. Never throws for any text. `format` is what an empty file is told to begin with. */
export function readTree(text: string, path: string, limits: ScenarioLimits, format = 'thplab/scenario@1'): ReadResult {
  const lines = lineCounter(text.length > limits.maxLength ? '' : text);
  const position = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const problem = (offset: number, message: string, hint: string, key: KeyPath = []): Problem => ({
    path,
    ...position(offset),
    key: formatKey(key),
    message,
    hint,
  });
  try {
    const documents = compose(readTokens(text, limits), text);
    const errors = documents.flatMap((document) => document.errors);
    if (errors.length > 0) {
      return { problems: errors.slice(0, 100).map((e) => problem(e.pos[0], syntaxMessage(e.message), '')) };
    }
    if (documents.length > 1) {
      throw new Refusal(
        documents[1].range[0],
        'a second document starts here',
        'one scenario per file: remove the ---',
      );
    }
    const root = documents[0]?.contents ?? null;
    if (root === null) throw new Refusal(0, 'the file is empty', `start with "format: ${format}"`);
    const reader = new ValueReader(limits);
    const value = reader.read(root, []);
    return { tree: { value, locate: (key, which) => position(reader.offsetOf(value, root, key, which)) } };
  } catch (error) {
    if (error instanceof Refusal) return { problems: [problem(error.offset, error.message, error.hint)] };
    throw error;
  }
}

/**
 * Documents of the text. The limits on tokens and depth keep the library's work and recursion small; what it throws all the
 * same for some broken text is a defect of the text, not of ours.
 */
function compose(tokens: Iterable<CST.Token>, text: string): Document.Parsed[] {
  try {
    return withoutStackTraces(() => [...new Composer(COMPOSE).compose(tokens, true, text.length)]);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Refusal(0, `the text cannot be read (${reason})`, 'check its YAML syntax');
  }
}

const COMPOSE = { uniqueKeys: false, logLevel: 'error', prettyErrors: false } as const;

/** A text with many syntax errors makes as many Error objects; without their stack traces they cost next to nothing. */
function withoutStackTraces<T>(work: () => T): T {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return work();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function lineCounter(text: string): LineCounter {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines.addNewLine(at + 1);
  return lines;
}

function syntaxMessage(message: string): string {
  const first = message.split('\n', 1)[0];
  return `syntax: ${first.length > 200 ? `${first.slice(0, 200)}...` : first}`;
}

class ValueReader {
  private readonly limits: ScenarioLimits;
  private readonly anchors = new Map<string, Node>();
  private readonly open = new Set<Node>();
  private readonly places = new WeakMap<object, Map<string | number, Place>>();
  private count = 0;

  constructor(limits: ScenarioLimits) {
    this.limits = limits;
  }

  read(node: Node, path: KeyPath): unknown {
    const offset = node.range?.[0] ?? 0;
    if (++this.count > this.limits.maxNodes) {
      throw new Refusal(
        offset,
        `more than ${this.limits.maxNodes} values`,
        'describe patterns instead of listing pages',
      );
    }
    if (path.length > this.limits.maxDepth) {
      throw new Refusal(offset, 'nested too deeply', `the limit is ${this.limits.maxDepth} levels`);
    }
    if (isAlias(node)) return this.readAlias(node.source, offset, path);
    if ('anchor' in node && typeof node.anchor === 'string') this.anchors.set(node.anchor, node);
    if (isScalar(node)) return readScalar(node.value, offset, this.limits);
    this.open.add(node);
    const value = isSeq(node) ? this.readList(node.items as Node[], path) : this.readMap(node, offset, path);
    this.open.delete(node);
    return value;
  }

  private readAlias(name: string, offset: number, path: KeyPath): unknown {
    const target = this.anchors.get(name);
    if (target === undefined) throw new Refusal(offset, `no anchor &${name} before this alias`, 'define it above');
    if (this.open.has(target)) throw new Refusal(offset, `the alias *${name} contains itself`, 'write the value out');
    return this.read(target, path);
  }

  private readList(items: readonly Node[], path: KeyPath): unknown[] {
    const list: unknown[] = [];
    const places = new Map<string | number, Place>();
    for (const [index, item] of items.entries()) {
      const at = item.range?.[0] ?? 0;
      places.set(index, { key: at, value: at });
      list.push(this.read(item, [...path, index]));
    }
    this.places.set(list, places);
    return list;
  }

  private readMap(node: Node, offset: number, path: KeyPath): Record<string, unknown> {
    if (!isMap(node)) throw new Refusal(offset, 'this is no value', 'write a text, a number, a list or a map');
    const map: Record<string, unknown> = {};
    const places = new Map<string | number, Place>();
    for (const pair of node.items as Pair<Node, Node | null>[]) {
      const at = pair.key?.range?.[0] ?? offset;
      const key = readKey(pair.key, at, this.limits);
      if (places.has(key))
        throw new Refusal(at, `the key ${JSON.stringify(key)} stands here twice`, 'remove one of them');
      places.set(key, { key: at, value: pair.value?.range?.[0] ?? at });
      map[key] = pair.value === null ? null : this.read(pair.value, [...path, key]);
    }
    this.places.set(map, places);
    return map;
  }

  offsetOf(root: unknown, rootNode: Node, path: KeyPath, which: 'key' | 'value'): number {
    let value = root;
    let place: Place = { key: rootNode.range?.[0] ?? 0, value: rootNode.range?.[0] ?? 0 };
    for (const [index, part] of path.entries()) {
      const next = typeof value === 'object' && value !== null ? this.places.get(value)?.get(part) : undefined;
      if (next === undefined) return index === 0 ? place.value : place.key;
      place = next;
      value = (value as Record<string | number, unknown>)[part];
    }
    return place[which];
  }
}

function readKey(node: Node | null, offset: number, limits: ScenarioLimits): string {
  const value = isScalar(node) ? node.value : undefined;
  if (typeof value !== 'string' && typeof value !== 'number') {
    throw new Refusal(offset, 'a key must be a plain text', 'write "key: value"');
  }
  const key = String(value);
  if (key.length > limits.maxKeyLength) {
    throw new Refusal(offset, `a key of ${key.length} characters`, `the limit is ${limits.maxKeyLength}`);
  }
  if (key === '__proto__') throw new Refusal(offset, 'the key "__proto__" is not allowed', 'remove it');
  if (key === '<<') throw new Refusal(offset, 'merge keys (<<) are not supported', 'use an alias for a whole value');
  return key;
}

function readScalar(value: unknown, offset: number, limits: ScenarioLimits): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new Refusal(offset, 'this number is not finite', 'write a finite number');
  }
  if (typeof value === 'string' && value.length > limits.maxStringLength) {
    throw new Refusal(offset, `a text of ${value.length} characters`, `the limit is ${limits.maxStringLength}`);
  }
  return value;
}
