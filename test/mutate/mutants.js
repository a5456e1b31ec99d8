/** Small faults that can be put into a source text, each of which some test should see. */
import ts from 'typescript';

const SWAPS = new Map([
  [ts.SyntaxKind.LessThanToken, '<='],
  [ts.SyntaxKind.LessThanEqualsToken, '<'],
  [ts.SyntaxKind.GreaterThanToken, '>='],
  [ts.SyntaxKind.GreaterThanEqualsToken, '>'],
  [ts.SyntaxKind.EqualsEqualsEqualsToken, '!=='],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, '==='],
  [ts.SyntaxKind.AmpersandAmpersandToken, '||'],
  [ts.SyntaxKind.BarBarToken, '&&'],
  [ts.SyntaxKind.PlusToken, '-'],
  [ts.SyntaxKind.MinusToken, '+'],
  [ts.SyntaxKind.AmpersandToken, '|'],
  [ts.SyntaxKind.BarToken, '&'],
  [ts.SyntaxKind.LessThanLessThanToken, '>>'],
  [ts.SyntaxKind.GreaterThanGreaterThanToken, '<<'],
]);

const OTHER_METHOD = new Map([
  ['every', 'some'],
  ['some', 'every'],
  ['min', 'max'],
  ['max', 'min'],
  ['startsWith', 'endsWith'],
]);

/** Parts that no answer comes from: types, imports, and the words of errors. */
function isSilent(node) {
  return ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isThrowStatement(node);
}

function* replacements(node, source) {
  if (ts.isBinaryExpression(node)) {
    const swap = SWAPS.get(node.operatorToken.kind);
    // Two texts are joined, not added.
    const joins = [node.left, node.right].some((side) => ts.isStringLiteralLike(side));
    if (swap && !joins) yield [node.operatorToken, swap];
  }
  if (ts.isNumericLiteral(node)) yield [node, String(Number(node.text) + 1)];
  if (ts.isBigIntLiteral(node)) yield [node, `${BigInt(node.text.slice(0, -1)) + 1n}n`];
  if (node.kind === ts.SyntaxKind.TrueKeyword) yield [node, 'false'];
  if (node.kind === ts.SyntaxKind.FalseKeyword) yield [node, 'true'];
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken)
    yield [node, node.operand.getText(source)];
  if (ts.isIfStatement(node)) {
    yield [node.expression, 'true'];
    yield [node.expression, 'false'];
  }
  if (ts.isConditionalExpression(node)) {
    yield [node, node.whenTrue.getText(source)];
    yield [node, node.whenFalse.getText(source)];
  }
  if (ts.isPropertyAccessExpression(node)) {
    const other = OTHER_METHOD.get(node.name.text);
    if (other) yield [node.name, other];
  }
  if (ts.isExpressionStatement(node) && ts.isCallExpression(node.expression)) yield [node, ';'];
}

/** All faults of the text: where, what stands there, what is put in its place. */
export function mutantsOf(path, text) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found = [];
  const visit = (node) => {
    if (isSilent(node)) return;
    for (const [at, replacement] of replacements(node, source)) {
      const [start, end] = [at.getStart(source), at.getEnd()];
      const line = source.getLineAndCharacterOfPosition(start).line + 1;
      found.push({ path, line, start, end, old: text.slice(start, end), replacement });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** The text with the fault in it. */
export function applyMutant(text, { start, end, replacement }) {
  return `${text.slice(0, start)} ${replacement} ${text.slice(end)}`;
}
