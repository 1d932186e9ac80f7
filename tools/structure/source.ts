// What the rules need to know of one source file, read from its syntax tree: comments and strings never count.

import ts from 'typescript';

/** A place in a file that a rule may object to. */
export interface Place {
  /** 1-based. */
  readonly line: number;
  /** The text of interest: a module specifier, `Math.random`, ... */
  readonly what: string;
}

/** An import, re-export, `import()` or `import('...')` type. */
export interface Import extends Place {
  /** Erased by the compiler: present in declarations only. */
  readonly typeOnly: boolean;
}

/** One parsed source file. */
export interface Source {
  /** Path from the repository's root, with forward slashes. */
  readonly path: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  readonly defaultExports: readonly Place[];
  /** `Math.random`, `Date.now`, `performance.now`, `new Date()`. */
  readonly chanceAndClocks: readonly Place[];
  /** Uses of `console`. */
  readonly prints: readonly Place[];
}

/** `*.test.ts`: free in what it imports, as it never ships. */
export function isTest(path: string): boolean {
  return /\.test\.ts$/.test(path);
}

/** Reads one file's facts from its text. */
export function parseSource(path: string, text: string): Source {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, false);
  const imports: Import[] = [];
  const defaultExports: Place[] = [];
  const chanceAndClocks: Place[] = [];
  const prints: Place[] = [];
  const at = (node: ts.Node, what: string): Place => ({
    line: file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1,
    what,
  });

  const visit = (node: ts.Node): void => {
    const found = importOf(node);
    if (found) imports.push({ ...at(node, found.specifier), typeOnly: found.typeOnly });
    if (isDefaultExport(node)) defaultExports.push(at(node, 'default export'));
    const used = chanceOrClock(node);
    if (used) chanceAndClocks.push(at(node, used));
    if (ts.isPropertyAccessExpression(node) && isNamed(node.expression, 'console')) prints.push(at(node, 'console'));
    ts.forEachChild(node, visit);
  };
  visit(file);
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  return { path, lines, imports, defaultExports, chanceAndClocks, prints };
}

function importOf(node: ts.Node): { specifier: string; typeOnly: boolean } | undefined {
  if (ts.isImportDeclaration(node)) {
    return literal(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
  }
  if (ts.isExportDeclaration(node)) return literal(node.moduleSpecifier, node.isTypeOnly);
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return literal(node.argument.literal, true);
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return literal(node.arguments[0], false);
  }
  return undefined;
}

function literal(node: ts.Node | undefined, typeOnly: boolean): { specifier: string; typeOnly: boolean } | undefined {
  return node && ts.isStringLiteralLike(node) ? { specifier: node.text, typeOnly } : undefined;
}

function isDefaultExport(node: ts.Node): boolean {
  if (ts.isExportAssignment(node)) return true;
  if (ts.isExportSpecifier(node)) return node.name.text === 'default';
  return (
    ts.canHaveModifiers(node) && (ts.getModifiers(node)?.some((m) => m.kind === ts.SyntaxKind.DefaultKeyword) ?? false)
  );
}

const CLOCKS: readonly (readonly [string, string])[] = [
  ['Math', 'random'],
  ['Date', 'now'],
  ['performance', 'now'],
];

function chanceOrClock(node: ts.Node): string | undefined {
  if (ts.isPropertyAccessExpression(node)) {
    const clock = CLOCKS.find(([object, name]) => node.name.text === name && isNamed(node.expression, object));
    return clock?.join('.');
  }
  const argless = ts.isNewExpression(node) && isNamed(node.expression, 'Date') && !node.arguments?.length;
  return argless ? 'new Date()' : undefined;
}

/** The plain global, or the same through globalThis. */
function isNamed(node: ts.Expression, name: string): boolean {
  if (ts.isIdentifier(node)) return node.text === name;
  return ts.isPropertyAccessExpression(node) && node.name.text === name && isNamed(node.expression, 'globalThis');
}
