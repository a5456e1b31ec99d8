/** `sockfilter network.ipv4` and `network.ipv6`: the addresses that a group may bind. */
import {
  addBindable,
  type BindList,
  deleteBindable,
  listBindable,
  readBindable,
} from '@sockfilter/interop';
import { didYouMean, EXIT } from '@sockfilter/language';
import { type Family, printAddress, requireGroup, type Table } from '@sockfilter/table';
import { CommandError } from './failure.js';
import { withFileTable } from './filetable.js';
import type { Globals } from './globals.js';
import { withLiveTable } from './livetable.js';
import type { Access, OpenTable } from './opentable.js';
import { followCounters } from './origins.js';
import { print } from './output.js';

export interface BindListWords {
  readonly family: Family;
  readonly group: string;
  /** `add` or `del` with its address; undefined: print the list. */
  readonly change: string | undefined;
  readonly address: string | undefined;
}

const CHANGES = { add: addBindable, del: deleteBindable } as const;

type Edit = (table: Table, list: BindList) => Table;

function readEdit({ family, change, address }: BindListWords): Edit | undefined {
  if (change === undefined) return undefined;
  if (change !== 'add' && change !== 'del') {
    const help = didYouMean(change, Object.keys(CHANGES)) ?? '`add ADDRESS` or `del ADDRESS`';
    throw new CommandError(`there is no \`${change}\` of a list`, EXIT.usage, help);
  }
  if (address === undefined)
    throw new CommandError(`\`${change}\` needs an address`, EXIT.usage, `\`${change} ADDRESS\``);
  const read = readBindable(address, family);
  if (!read) {
    const help = family === 4 ? '`10.0.0.5`, or in hexadecimal `0x0500000a`' : '`fd00::5`';
    throw new CommandError(`\`${address}\` is no IPv${family} address`, EXIT.usage, help);
  }
  return (table, list) => CHANGES[change](table, list, read.value);
}

function withTable<T>(globals: Globals, access: Access, use: (open: OpenTable) => T): T {
  const { file, wait } = globals;
  if (file !== undefined) return withFileTable(file, wait, access, use);
  return withLiveTable(globals, access, ({ open }) => use(open));
}

export async function bindList(globals: Globals, words: BindListWords): Promise<void> {
  const edit = readEdit(words);
  const { family } = words;
  withTable(globals, edit ? 'edit' : 'read', (open) => {
    const list = { family, group: requireGroup(open.table, words.group).id };
    if (edit) {
      const table = edit(open.table, list);
      if (table !== open.table) open.commit({ table, origins: followCounters(open.table, table) });
      return;
    }
    for (const address of listBindable(open.table, list) ?? [])
      print(`${printAddress(family, address)}\n`);
  });
}
