/** Edits of a table that is kept as its text, without reading all of it. */
import { planHead } from './headedit.js';
import type { KeptEdit, KeptTable, PlannedPart } from './opentable.js';
import { planChains, planRule } from './partedit.js';

/** What is to be committed for the edit; undefined where it takes the whole table. Throws TableError. */
export function planEdit(table: KeptTable, edit: KeptEdit): PlannedPart | undefined {
  if (edit.kind === 'rules') return planChains(table, edit.chains);
  return planHead(table, edit) ?? (edit.kind === 'groups' ? undefined : planRule(table, edit));
}
