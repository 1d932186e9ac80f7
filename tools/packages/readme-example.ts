// The example of a README as a program: as it stands for ES modules, rewritten for CommonJS.

import ts from 'typescript';

/** The text of the first ```js block, or undefined. */
export function firstExample(readme: string): string | undefined {
  return /^```js\n(.*?)^```$/ms.exec(readme)?.[1];
}

/**
 * The same program for CommonJS: each static import becomes a require at its place, the rest stands in an async function,
 * as a CommonJS file has no top-level await.
 *
 * @throws Error for an import that has no plain require form
 */
export function asCommonJs(example: string): string {
  const file = ts.createSourceFile('example.mjs', example, ts.ScriptTarget.Latest, false);
  const imports = file.statements.filter(ts.isImportDeclaration);
  const requires = imports.map((statement) => requireOf(statement, file));
  const rest = imports.reduceRight((text, { pos, end }) => text.slice(0, pos) + text.slice(end), example);
  return `${requires.join('\n')}\n(async () => {\n${rest.trim()}\n})();\n`;
}

function requireOf(statement: ts.ImportDeclaration, file: ts.SourceFile): string {
  const call = `require(${statement.moduleSpecifier.getText(file)});`;
  const clause = statement.importClause;
  if (clause === undefined) return call;
  const { namedBindings } = clause;
  if (clause.name || namedBindings === undefined) {
    throw new Error(`default import in an example: ${statement.getText(file)}`);
  }
  if (ts.isNamespaceImport(namedBindings)) return `const ${namedBindings.name.text} = ${call}`;
  const names = namedBindings.elements.map(({ name, propertyName }) =>
    propertyName ? `${propertyName.text}: ${name.text}` : name.text,
  );
  return `const { ${names.join(', ')} } = ${call}`;
}
