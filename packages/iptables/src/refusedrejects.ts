/** Lines whose REJECT is wrong: whether their chain can have one at all is known at the end of the file. */
import type { Diagnostic, Span } from '@sockfilter/language';
import type { Table } from '@sockfilter/table';
import { isSilent } from './chainhelp.js';
import { silentReject } from './target.js';

interface RefusedReject {
  readonly chain: string;
  readonly span: Span;
  /** All that is wrong with the line. */
  readonly diagnostics: readonly Diagnostic[];
}

export class RefusedRejects {
  readonly #rejects: RefusedReject[] = [];

  add(reject: RefusedReject): void {
    this.#rejects.push(reject);
  }

  /** What is told of those in chains that can have none, and what is not told then. */
  judge(table: Table): {
    readonly told: readonly Diagnostic[];
    readonly dropped: ReadonlySet<Diagnostic>;
  } {
    const silent = this.#rejects.filter(({ chain }) => isSilent(table, chain));
    const dropped = silent.flatMap(({ span, diagnostics }) =>
      diagnostics.filter((each) => isInside(each.span, span)),
    );
    return {
      told: silent.map(({ chain, span }) => silentReject(chain, span)),
      dropped: new Set(dropped),
    };
  }
}

function isInside(inner: Span, outer: Span): boolean {
  return (
    inner.line === outer.line &&
    inner.column >= outer.column &&
    inner.column + inner.length <= outer.column + outer.length
  );
}
