/** Functions that are too long to be read at once. */
import ts from 'typescript';
import { nodesOf, type SourceFile } from './imports.js';

function nameOf(node: ts.SignatureDeclaration): string {
  const named = node.name ?? (ts.isVariableDeclaration(node.parent) ? node.parent.name : undefined);
  return named?.getText() ?? 'a function without a name';
}

/** The functions of the file that have more lines than that, as `PATH NAME`. */
export function longFunctions(file: SourceFile, most: number): readonly string[] {
  return nodesOf(file).flatMap((node) => {
    if (!ts.isFunctionLike(node)) return [];
    const lines = node.getText().split('\n').length;
    return lines > most ? [`${file.path} ${nameOf(node)}`] : [];
  });
}
