import { readFileSync } from 'node:fs';
import ts from 'typescript-6';

/** A line that the program may write to its log. What is known only when it runs is `…`. */
export interface LogLine {
  readonly file: string;
  readonly text: string;
}

/** Files whose lines are known to others: those about security have a table of their own. */
const others = ['services/edge/security-log.ts', 'services/audit/tree/head-sender.ts'];

/** The lines of the levels warn, error and fatal in a source file. */
export function logLinesOf(file: string): LogLine[] {
  if (others.includes(file)) return [];
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest);
  const lines: LogLine[] = [];
  const visit = (node: ts.Node): void => {
    const last = ts.isCallExpression(node) && isLogCall(node, source) ? node.arguments.at(-1) : undefined;
    if (last) lines.push(...textsOf(last, source).map((text) => ({ file, text })));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return lines;
}

/** Whether a call is of a logger: `logger.warn(…)`, `this.#logger.error(…)`, `request.log.fatal(…)`. */
function isLogCall({ expression }: ts.CallExpression, source: ts.SourceFile): boolean {
  if (!ts.isPropertyAccessExpression(expression)) return false;
  const { expression: receiver, name } = expression;
  return /^(warn|error|fatal)$/.test(name.text) && /\blog(ger)?$/i.test(receiver.getText(source));
}

/** The texts that an expression may have: two of a condition, one of anything else. */
function textsOf(node: ts.Expression, source: ts.SourceFile): string[] {
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isTemplateExpression(node)) {
    return [node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('')];
  }
  if (ts.isConditionalExpression(node)) {
    return [node.whenTrue, node.whenFalse].flatMap((branch) => textsOf(branch, source));
  }
  if (ts.isBinaryExpression(node)) {
    const ends = textsOf(node.right, source);
    return textsOf(node.left, source).flatMap((text) => ends.map((end) => text + end));
  }
  const value = ts.isIdentifier(node) ? constantOf(node.text, source) : undefined;
  return value ? textsOf(value, source) : [`(unknown: ${node.getText(source)})`];
}

/** What a constant of the file is set to. */
function constantOf(name: string, source: ts.SourceFile): ts.Expression | undefined {
  let found: ts.Expression | undefined;
  const visit = (node: ts.Node): void => {
    if (ts.isVariableDeclaration(node) && node.name.getText(source) === name) found ??= node.initializer;
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}
