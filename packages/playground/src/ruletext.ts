/** The rules that are being typed, and what is to be said of them. */
import { parseSave, printChainLine, printOwner } from '@sockfilter/iptables';
import { NO_NAMES } from '@sockfilter/language';
import {
  checkFile,
  documentFile,
  type Finding,
  mistakeFinding,
  queryPage,
  type RuleFile,
  renderPage,
} from '@sockfilter/policy';

declare const VERSION: string;

const NAME = 'playground.rules';

export interface RuleText {
  /** Mistakes, or where there are none what `check` finds. */
  readonly findings: readonly Finding[];
  /** Undefined for rules with mistakes. */
  readonly file: RuleFile | undefined;
}

/** What costs more than a page may is said as such. */
export function affordable<T>(ask: () => T): T | string {
  try {
    return ask();
  } catch (error) {
    if (error instanceof Error && /^(LimitError|TableError)$/.test(error.name))
      return error.message;
    throw error;
  }
}

export function readRules(text: string): RuleText {
  const { document, table, diagnostics } = parseSave(text, NAME, { names: NO_NAMES });
  if (diagnostics.length > 0) return { findings: diagnostics.map(mistakeFinding), file: undefined };
  const file = documentFile(document, table);
  const checked = affordable(() => checkFile(file).findings);
  return { findings: typeof checked === 'string' ? [] : checked, file };
}

/** The page that `query accept --report` writes. */
export function reportPage(file: RuleFile, text: string): string {
  const lines = text.split('\n');
  const page = affordable(() =>
    queryPage(
      file,
      { verdict: 'accept', region: {} },
      {
        version: VERSION,
        lineOf: (_, owner) => {
          const { chain, rule } = owner;
          const line = lines[file.placeOf(rule ?? chain).line - 1]?.trim();
          if (line !== undefined && (rule || line.startsWith(':'))) return line;
          return rule ? printOwner(owner) : printChainLine(chain.name, chain.policy);
        },
      },
    ),
  );
  return typeof page === 'string' ? page : renderPage(page);
}
