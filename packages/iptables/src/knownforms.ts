/** What lines have said whose form later ones have, as long as names, groups and sets are the same. */
import type { Rule } from '@sockfilter/table';
import { type FormedLine, fillForm, keepForm } from './lineform.js';
import { RecentForms } from './recentforms.js';
import { type RuleMemo, ruleMemo } from './rulememo.js';
import type { RecentLine } from './savedlines.js';
import type { RuleContext } from './values/syntax.js';

export class KnownForms {
  readonly context: RuleContext;
  readonly #memo: RuleMemo = ruleMemo();
  readonly #recent = new RecentForms();

  constructor(context: Pick<RuleContext, 'names' | 'groups' | 'sets'>) {
    this.context = { ...context, memo: this.#memo };
  }

  /** The rule of a line that appends one, if it goes as one of the last. */
  recent(text: string): RecentLine | undefined {
    return this.#recent.read(text);
  }

  /** The same of any line before it. */
  filled(line: FormedLine): { readonly chain: string; readonly rule: Rule } | undefined {
    const form = this.#memo.forms.get(line.form);
    const rule = form && fillForm(this.#memo, form, line, this.context);
    if (!rule) return undefined;
    this.#recent.keep(line.form, form, line.blanks);
    return { chain: form.chain, rule };
  }

  /** Keeps the form of a line that has been read, and is the rule. */
  keep(line: FormedLine, chain: string, rule: Rule): void {
    keepForm(this.#memo, line, chain, rule, this.context);
  }
}
