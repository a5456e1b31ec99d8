/** `sockfilter group`: names and ids for control groups. */
import { existsSync } from 'node:fs';
import { keptIds, namesPath, parseGroupName, printRule } from '@sockfilter/iptables';
import { type Holder, LockedError, type Surroundings } from '@sockfilter/kernel';
import { EXIT, writeJson } from '@sockfilter/language';
import {
  addGroup,
  deleteGroup,
  type Group,
  isBelow,
  MAX_GROUP_ID,
  nextGroupId,
  patternOf,
  type Rule,
  requireGroup,
  type Table,
} from '@sockfilter/table';
import {
  type CgroupTree,
  defaultPath,
  isOwn,
  makeCgroup,
  moveProcesses,
  ownFolder,
  removeCgroup,
} from './cgroupdirectory.js';
import { closing } from './closing.js';
import { printColumns } from './columns.js';
import { CommandError } from './failure.js';
import { withFileTable } from './filetable.js';
import { type Globals, readGroupPath, requireLive } from './globals.js';
import { type Given, giveIds, readHighMark } from './highmark.js';
import { type LiveTable, withLiveTable } from './livetable.js';
import type { Access, OpenTable } from './opentable.js';
import { followCounters } from './origins.js';
import { note, print } from './output.js';
import { carriedText, lookAround } from './surroundings.js';

/** The table in the kernel or, then without the kernel's side, in a file. */
function withGroups<T>(
  globals: Globals,
  access: Access,
  use: (open: OpenTable, live: LiveTable | undefined) => T,
): T {
  const { file, wait } = globals;
  if (file !== undefined) return withFileTable(file, wait, access, (open) => use(open, undefined));
  return withLiveTable(globals, access, (live) => use(live.open, live));
}

/** The table, without its rules where those need not be read. */
const headOf = (open: OpenTable): Table => open.kept?.head ?? open.table;

function commitGroups(open: OpenTable, { groups }: Table): void {
  if (open.editPart?.({ kind: 'groups', groups })) return;
  const table = { ...open.table, groups };
  open.commit({ table, origins: followCounters(open.table, table) });
}

/** The table with those rules that may name a group which `wants`, each `once` if what they say of it is the same. */
function withNaming(
  open: OpenTable,
  wants: (from: number, to: number) => boolean,
  once: boolean,
): Table {
  const { kept } = open;
  if (!kept || namesPath(kept.kept)) return open.table;
  const lines = new Map<string, string>();
  for (const { from, to, start, line } of keptIds(kept.kept, wants))
    lines.set(once && !line.includes('"') ? `${from}:${to}` : String(start), line);
  return kept.read([...lines.values()].join(''));
}

function readName(text: string): string {
  const span = { source: 'command line', line: 1, column: 1, length: text.length };
  const name = parseGroupName({ text, span, quoted: true });
  if (name.ok) return name.value;
  throw new CommandError(name.problem.message, EXIT.usage, name.problem.help);
}

function readId(text: string): number {
  const id = Number(text);
  if (/^\d+$/.test(text) && id >= 1 && id <= MAX_GROUP_ID) return id;
  const message = `invalid group id \`${text}\`: it is a number from 1 to ${MAX_GROUP_ID}`;
  throw new CommandError(message, EXIT.usage);
}

function readPath(globals: Globals, name: string, given: string | undefined): string {
  if (given !== undefined) {
    const path = readGroupPath(given);
    if (isBelow(path, globals.root)) return path;
    const message = `\`${path}\` is not below the root \`${globals.root}\``;
    throw new CommandError(message, EXIT.unfit);
  }
  if (!name.includes('/')) return readGroupPath(defaultPath(globals.root, name));
  const help = 'say which control group it is with `--path`';
  throw new CommandError(`\`${name}\` can't be the name of a control group`, EXIT.usage, help);
}

export interface AddOptions {
  readonly name: string;
  readonly path: string | undefined;
  readonly id: string | undefined;
}

export async function addGroupCommand(globals: Globals, options: AddOptions): Promise<void> {
  const name = readName(options.name);
  const path = readPath(globals, name, options.path);
  const chosen = options.id === undefined ? undefined : readId(options.id);
  const id = withGroups(globals, 'edit', (open, live) => {
    let added: Group | undefined;
    const add = (last: number): Given => {
      const named = () => withNaming(open, (_, to) => to > last, true);
      added = { name, path, id: chosen ?? nextGroupId(named(), last) };
      return {
        table: addGroup(headOf(open), added),
        ids: chosen === undefined ? [added.id] : [],
      };
    };
    const { table } =
      live && chosen === undefined
        ? { table: giveIds(globals.wait, add) }
        : add(chosen === undefined ? readHighMark() : 0);
    const own = live?.firewall.cgroupDirectory(path);
    const isMade = own !== undefined && options.path === undefined && makeCgroup(own);
    try {
      commitGroups(open, table);
    } catch (error) {
      if (isMade) removeCgroup(own);
      throw error;
    }
    return added?.id;
  });
  print(`${id}\n`);
}

export async function listGroups(globals: Globals, json: boolean): Promise<void> {
  const groups = withGroups(globals, 'read', (open, live) => {
    const processes = live?.firewall.countProcesses();
    return headOf(open).groups.map(({ name, id, path }) => {
      const row = { name, id, path: path ?? null };
      return processes ? { ...row, processes: processes.get(id) ?? null } : row;
    });
  });
  if (json) {
    print(writeJson(groups));
    return;
  }
  const hasCounts = globals.file === undefined;
  const rows = groups.map((group) => [
    group.name,
    String(group.id),
    group.path ?? '-',
    ...('processes' in group ? [String(group.processes ?? '-')] : []),
  ]);
  print(printColumns([['NAME', 'ID', 'PATH', ...(hasCounts ? ['PROCS'] : [])], ...rows]));
}

function namesGroup(rule: Rule, group: Group): boolean {
  return rule.matches
    .flatMap(({ options }) => options)
    .some(({ value }) => {
      if (value.kind === 'groupRange') return value.from === group.id || value.to === group.id;
      return value.kind === 'groupPath' && value.path === group.path;
    });
}

function refuseUsed(table: Table, group: Group): void {
  const rules = table.chains.flatMap(({ name, rules: all }) =>
    all.filter((rule) => namesGroup(rule, group)).map((rule) => printRule(name, rule)),
  );
  if (rules.length === 0) return;
  const message = `group \`${group.name}\` (id ${group.id}) is named by rules:\n${rules.map((rule) => `  ${rule}`).join('\n')}`;
  throw new CommandError(message, EXIT.unfit, 'delete them first, or use `--force`');
}

export async function deleteGroupCommand(
  globals: Globals,
  { name, force }: { readonly name: string; readonly force: boolean },
): Promise<void> {
  withGroups(globals, 'edit', (open, live) => {
    const head = headOf(open);
    const group = requireGroup(head, name);
    const names = (from: number, to: number) => from === group.id || to === group.id;
    if (!force) refuseUsed(withNaming(open, names, false), group);
    commitGroups(open, deleteGroup(head, name));
    const { path } = group;
    if (!live || path === undefined || patternOf(path) || !isOwn(globals.root, path)) return;
    const reason = removeCgroup(live.firewall.cgroupDirectory(path));
    if (reason !== undefined) note(`control group ${path} stays: ${reason}`);
    removeCgroup(live.firewall.cgroupDirectory(ownFolder(globals.root)));
  });
}

/** The directory of the group's control group; made if the tool itself would have made it. */
function enterable(globals: Globals, table: Table, tree: CgroupTree, name: string): string {
  const { path } = requireGroup(table, name);
  if (path === undefined) {
    const help = 'a group is given one with `group add --path`, or in its `-G` line';
    throw new CommandError(`group \`${name}\` has no control group`, EXIT.unfit, help);
  }
  if (patternOf(path)) {
    const help =
      'enter one of its control groups by what makes it, or `sockfilter group add` a group of its own';
    const message = `group \`${name}\` is every control group that matches \`${path}\`: none is to be chosen`;
    throw new CommandError(message, EXIT.unfit, help);
  }
  const directory = tree.cgroupDirectory(path);
  if (isOwn(globals.root, path)) makeCgroup(directory);
  else if (!existsSync(directory)) {
    const help = `start what makes it, or \`mkdir -p ${directory}\``;
    throw new CommandError(`control group \`${path}\` does not exist`, EXIT.unfit, help);
  }
  return directory;
}

export function enterableDirectory(globals: Globals, name: string): string {
  return withLiveTable(globals, 'read', ({ open, firewall }) =>
    enterable(globals, headOf(open), firewall, name),
  );
}

/** Tells of sockets that have come along with processes, and keep the control group that they were made in. */
function noteCarried(surroundings: Surroundings | undefined, holders: readonly Holder[]): void {
  const carried = closing(surroundings, (around) =>
    lookAround((failed) => around?.carriedSockets(failed, holders) ?? []),
  );
  for (const socket of carried) note(carriedText(socket));
}

/** The same of the sockets that this process hands to what it runs; what comes between them is told, and no failure. */
export function noteHandedOver(globals: Globals, sockets: ReadonlySet<number>): void {
  try {
    const around = withLiveTable(globals, 'read', ({ firewall }) => firewall.surroundings());
    noteCarried(around, [{ pid: process.pid, sockets }]);
  } catch (error) {
    if (!(error instanceof LockedError)) throw error;
    note('where inherited sockets were made is not told: another command is at work');
  }
}

export async function moveToGroup(
  globals: Globals,
  { name, pids }: { readonly name: string; readonly pids: readonly string[] },
): Promise<void> {
  requireLive(globals, 'group move');
  for (const pid of pids)
    if (!/^[1-9]\d*$/.test(pid)) throw new CommandError(`invalid pid \`${pid}\``, EXIT.usage);
  const around = withLiveTable(globals, 'read', ({ open, firewall }) => {
    moveProcesses(firewall, enterable(globals, headOf(open), firewall, name), pids);
    return firewall.surroundings();
  });
  noteCarried(
    around,
    pids.map((pid) => ({ pid: Number(pid) })),
  );
}
