/** `sockfilter rules` and `sockfilter schema`: what there is to be told, and to be written. */
import { EXIT, writeJson } from '@sockfilter/language';
import { tableSchema } from '@sockfilter/nftables';
import { catalogueRows, isCode, jsonSchema, type SchemaKind } from '@sockfilter/policy';
import { printColumns } from '../columns.js';
import { CommandError } from '../failure.js';
import { print } from '../output.js';

/** Lists the codes of findings, or explains one. */
export function listCodes(code: string | undefined, json: boolean): void {
  if (code !== undefined && !isCode(code))
    throw new CommandError(
      `there is no code \`${code}\``,
      EXIT.usage,
      '`sockfilter rules` lists them',
    );
  const rows = catalogueRows().filter((row) => code === undefined || row.code === code);
  if (json) print(writeJson(rows));
  else if (code === undefined)
    print(printColumns(rows.map((row) => [row.code, row.severity, row.title])));
  else
    for (const row of rows)
      print(`${row.code} ${row.title} (${row.severity})\n\n${row.explanation}\n`);
}

/** Prints a JSON schema. */
export async function printSchema(kind: SchemaKind | 'table'): Promise<void> {
  print(writeJson(kind === 'table' ? tableSchema() : await jsonSchema(kind)));
}
