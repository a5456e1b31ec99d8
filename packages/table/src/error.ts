import type { Chain, Rule } from './table.js';

/** Something about the table, not about the text, forbids what was asked; nothing has changed. */
export class TableError extends Error {
  override readonly name = 'TableError';
  /** The way out, when there is one to name. */
  readonly help: string | undefined;

  constructor(message: string, help?: string) {
    super(message);
    this.help = help;
  }
}

/** A fault of a table as a whole, with the rule or chain that it is about. */
export interface Problem {
  readonly message: string;
  readonly help: string | undefined;
  readonly chain: Chain | undefined;
  readonly rule: Rule | undefined;
}
