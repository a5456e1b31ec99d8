/** What is wrong with the table of a file as a whole, each mistake where its rule is written. */
import type { Diagnostic, Document, Span } from '@sockfilter/language';
import { calledChain, findChain, type Rule, type Table, validate } from '@sockfilter/table';
import { missingTargetHelp } from './chainhelp.js';

function missingTarget(table: Table, rule: Rule | undefined): string | undefined {
  const called = calledChain(rule?.target);
  return called === undefined || findChain(table, called) ? undefined : called;
}

/** `refused` are chains whose declaration is wrong: that they are missing is no second mistake. */
export function checkTable(
  table: Table,
  { places }: Pick<Document, 'places'>,
  end: Span,
  refused: ReadonlySet<string>,
): readonly Diagnostic[] {
  return validate(table).flatMap(({ message, help, chain, rule }): readonly Diagnostic[] => {
    const place = rule && places.get(rule);
    const missing = missingTarget(table, rule);
    if (missing !== undefined) {
      if (refused.has(missing)) return [];
      const span = place?.target ?? end;
      const way = missingTargetHelp(table, chain?.name ?? '', rule?.target, 'file');
      return [{ code: 'unknown-name', message, help: way, span, exit: 2 }];
    }
    if (rule?.target?.kind === 'reject' && place?.reject) {
      const way = 'write `-j DROP`';
      return [{ code: 'not-in-chain', message, help: way, span: place.reject, exit: 2 }];
    }
    return [{ code: 'does-not-fit', message, help, span: place?.rule ?? end, exit: 1 }];
  });
}
