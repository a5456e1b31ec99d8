/**
 * `set add --resolve` and `set refresh`: host names in sets. DNS is asked while no lock is held; what it tells becomes
 * elements of numbers, so that rules stay what they are until somebody asks again.
 */
import { EXIT } from '@sockfilter/language';
import {
  addElements,
  deleteElements,
  findSet,
  type NamedSet,
  printAddress,
  replaceSet,
  requireSet,
  sameSetShape,
  type Table,
  TableError,
} from '@sockfilter/table';
import { CommandError } from './failure.js';
import type { Globals } from './globals.js';
import { readHostName } from './hostname.js';
import { withRules } from './livetable.js';
import { forThisTable, note, print } from './output.js';
import { lifetime, ResolvedSet, type SetChange } from './resolvedset.js';
import { HostResolver, type ToldAddress } from './resolver.js';
import { commit, withTable } from './set.js';

/** Questions that are open at once. */
const AT_ONCE = 16;

type Apply = (set: NamedSet, change: SetChange) => void;

/** Opens the table for changes of its sets, of which each is made as a whole or not at all. */
function editSets(globals: Globals, use: (table: Table, apply: Apply) => void): void {
  const exist = { exist: true } as const;
  if (globals.file === undefined) {
    withRules(globals, 'edit', (live) => {
      const table = live.firewall.fill(live.table);
      // New ones first, so that no call is refused in between; an end in between is mended by the next refresh.
      use(table, (set, { added, removed }) => {
        if (added.length > 0) live.firewall.editSet(table, set, 'add', added, exist);
        if (removed.length > 0) live.firewall.editSet(table, set, 'del', removed, exist);
      });
    });
    return;
  }
  withTable(globals, 'edit', (open) => {
    let { table } = open;
    use(table, ({ name }, { added, removed }) => {
      const grown = addElements(requireSet(table, name), added, exist);
      table = replaceSet(table, deleteElements(grown, removed, exist));
    });
    if (table !== open.table) commit(open, table);
  });
}

function requireNames(set: NamedSet): void {
  const { name, type, comments } = set;
  if (type !== 'ip' && type !== 'net')
    throw new CommandError(
      `set \`${name}\` is of type ${type}, and a host name is addresses alone`,
      EXIT.unfit,
      '`--resolve` is for sets of type ip or net',
    );
  if (!comments)
    throw new CommandError(
      `set \`${name}\` was created without \`comment\`, where an element says which name it was resolved from`,
      EXIT.unfit,
      `make one with \`comment\`, as with \`sockfilter set create NAME ${type} comment\``,
    );
}

function change(apply: Apply, names: ResolvedSet, wanted: SetChange): void {
  if (wanted.added.length + wanted.removed.length > 0) apply(names.set, wanted);
  names.made(wanted);
}

/** The error with what it leads to, if it is one of what was asked. */
function failing(what: string, error: unknown): CommandError {
  if (error instanceof CommandError)
    return new CommandError(`${what}: ${error.message}`, error.exit, error.help);
  if (error instanceof TableError)
    return new CommandError(`${what}: ${error.message}`, EXIT.unfit, error.help);
  throw error;
}

interface ResolveOptions {
  /** `ADDR` or `ADDR:PORT`; the system's if absent. */
  readonly server?: string | undefined;
}

/** What `set add` was given. */
interface AddWords extends ResolveOptions {
  readonly name: string;
  readonly element: string;
  readonly words: readonly string[];
  readonly exist: boolean;
  readonly resolve: boolean;
}

/** `set add NAME HOST --resolve`. */
export async function addResolved(
  globals: Globals,
  { name, element, words: [word], exist, resolve, server }: AddWords,
): Promise<void> {
  if (!resolve)
    throw new CommandError('`--server` is for `--resolve`', EXIT.usage, 'write `--resolve` too');
  if (word !== undefined)
    throw new CommandError(
      `\`${word}\` can't stand beside \`--resolve\``,
      EXIT.usage,
      'what is said of an element comes from its record and its set',
    );
  const host = readHostName(element);
  const resolver = new HostResolver(server);
  const asked = withTable(globals, 'read', ({ table }) => requireSet(table, name));
  requireNames(asked);
  const told = await resolver.ask(host, asked.family);
  editSets(globals, (table, apply) => {
    const set = requireSet(table, name);
    requireSameShape(asked, set);
    const names = new ResolvedSet(set);
    const present = exist ? undefined : names.present(host, told);
    if (present !== undefined)
      throw new CommandError(
        `${present}, an address of \`${host}\`, is already in set \`${name}\``,
        EXIT.unfit,
        `\`--exist\` lets it be, and \`sockfilter set refresh ${name}\` asks again for names that were added`,
      );
    try {
      change(apply, names, names.adding(host, told));
    } catch (error) {
      throw failing(`\`${host}\``, error);
    }
    print(forThisTable(describeAdded(set, host, told)));
  });
}

function requireSameShape(asked: NamedSet, now: NamedSet): void {
  if (sameSetShape(asked, now)) return;
  throw new CommandError(
    `set \`${now.name}\` was changed while DNS was asked`,
    EXIT.resource,
    'run the command again',
  );
}

function describeAdded(set: NamedSet, host: string, told: readonly ToldAddress[]): string {
  const lives = told.map(({ address, ttl }) => {
    const seconds = lifetime(set, ttl);
    return seconds === undefined ? address : `${address} for ${seconds} s`;
  });
  const rest =
    set.timeout === undefined
      ? `; they stay until \`sockfilter set refresh ${set.name}\` finds others`
      : '';
  return `${host} in set ${set.name}: ${lives.join(', ')}${rest}\n`;
}

/** A name that elements of a set say, and what DNS tells of it. */
interface Question {
  readonly set: NamedSet;
  readonly host: string;
}
type Answer = Question &
  ({ readonly told: readonly ToldAddress[] } | { readonly failure: CommandError });

async function answer(resolver: HostResolver, question: Question): Promise<Answer> {
  try {
    return { ...question, told: await resolver.ask(question.host, question.set.family) };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return { ...question, failure: error };
  }
}

async function answerAll(
  resolver: HostResolver,
  questions: readonly Question[],
): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  for (let at = 0; at < questions.length; at += AT_ONCE) {
    const some = questions.slice(at, at + AT_ONCE);
    answers.push(...(await Promise.all(some.map((question) => answer(resolver, question)))));
  }
  return answers;
}

function questionsOf(sets: readonly NamedSet[]): readonly Question[] {
  return sets.flatMap((set) => new ResolvedSet(set).hosts.map((host) => ({ set, host })));
}

function describeChange(
  { name, family }: NamedSet,
  host: string,
  { added, removed }: SetChange,
): string {
  const list = (verb: string, elements: SetChange['added']) =>
    elements.length === 0
      ? []
      : [`${verb} ${elements.map(({ address }) => printAddress(family, address)).join(', ')}`];
  const told = [...list('put', added), ...list('removed', removed)];
  return `${host} in set ${name}: ${told.length === 0 ? 'as it was' : told.join('; ')}\n`;
}

/**
 * `set refresh [NAME]`: asks again for the names that elements say. A name for which nothing is told keeps what it has,
 * and the command fails when it is through with the others.
 */
export async function refreshSets(
  globals: Globals,
  name: string | undefined,
  { server }: ResolveOptions,
): Promise<void> {
  const resolver = new HostResolver(server);
  const questions = withTable(globals, 'read', ({ table }) =>
    questionsOf(name === undefined ? table.sets : [requireSet(table, name)]),
  );
  if (questions.length === 0)
    throw new CommandError(
      name === undefined ? 'no set has a host name' : `set \`${name}\` has no host name`,
      EXIT.unfit,
      '`sockfilter set add NAME HOST --resolve` puts one in; in a set with timeouts it goes with its last address',
    );
  const failures: CommandError[] = [];
  const answers = await answerAll(resolver, questions);
  editSets(globals, (table, apply) => {
    const now = new Map<string, ResolvedSet>();
    for (const each of answers) {
      const { host, set: asked } = each;
      const set = findSet(table, asked.name);
      if (!set) continue;
      try {
        if ('failure' in each) throw each.failure;
        requireSameShape(asked, set);
        const names = now.get(set.name) ?? new ResolvedSet(set);
        now.set(set.name, names);
        // Who has taken the name out meanwhile meant it.
        if (!names.has(host)) continue;
        const wanted = names.refreshing(host, each.told);
        change(apply, names, wanted);
        print(describeChange(set, host, wanted));
      } catch (error) {
        failures.push(failing(`set \`${set.name}\` keeps what it has of \`${host}\``, error));
      }
    }
  });
  const [first, ...more] = failures;
  for (const { message } of more) note(message);
  if (first) throw first;
}
