/** The same commands given to a real iptables and to sockfilter, one after the other, each on a table of its own. */
import { spawnSync } from 'node:child_process';
import {
  type ListingOptions,
  parseCommand,
  parseSave,
  printListing,
  printRules,
  printSave,
  unfitNames,
} from '@sockfilter/iptables';
import { applyEdit, exitStatus, isEdit, type Names, tableDiagnostic } from '@sockfilter/language';
import { findRule, requireChain, type Table, TableError, validate } from '@sockfilter/table';
import type { Family } from './commands.js';

export interface Answer {
  /** The exit status of each command. */
  readonly statuses: readonly number[];
  /** The rules of OUTPUT and of user chains as `-S` has them. */
  readonly rules: readonly string[];
  /** The same as `-L` has them with each set of flags. */
  readonly listings: readonly string[];
}

export interface RealAnswer extends Answer {
  /** What iptables-save prints. */
  readonly saved: string;
}

/** Flags of a listing, and what they are to ours. */
const LISTINGS: readonly (readonly [flags: string, options: ListingOptions])[] = [
  ['-n', {}],
  ['-nv', { verbose: true }],
  ['-n --line-numbers', { lineNumbers: true }],
  ['-nvx --line-numbers', { verbose: true, exact: true, lineNumbers: true }],
];

/** How a program without names for protocols calls them. */
const PROTOCOLS: Readonly<Record<string, string>> = {
  0: 'all',
  1: 'icmp',
  6: 'tcp',
  17: 'udp',
  58: 'ipv6-icmp',
  136: 'udplite',
  icmpv6: 'ipv6-icmp',
};

/**
 * Blocks of OUTPUT and of user chains, their columns one blank apart: without those that a call has nothing for, which
 * are the devices and fragments.
 */
function listingOf(text: string): string {
  return text
    .split(/\n\n+/)
    .filter((block) => !/^Chain (INPUT|FORWARD|BIND|ACCEPT|SENDTO|RECVFROM) /.test(block.trim()))
    .map((block) =>
      block
        .trim()
        .split('\n')
        .map((line) =>
          line
            .trim()
            .replace(/ +/g, ' ')
            .replace(/ (in out|\* \*) /, ' ')
            .replace(/ (opt|--) /, ' ')
            .replace(
              /^((?:\d+ ){0,3}(?:\S+ )?!?)(\d+|icmpv6)(?= !?[\da-f]*[.:][\da-f.:/]* )/,
              (_, before, name) => `${before}${PROTOCOLS[name] ?? name}`,
            ),
        )
        .join('\n'),
    )
    .join('\n\n');
}

/** What is added to a table that is there; a chain that it declares is emptied. */
const ADDED = '*filter\n:web - [0:0]\n-A web -p tcp -j ACCEPT\n-A OUTPUT -j web\nCOMMIT';

const START = ['-N zeta', '-N web', '-A web -j DROP'];

const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

/** Runs each sequence on an empty table; undefined where the program can't run here. */
export function runReal(
  program: string,
  sequences: readonly (readonly (readonly string[])[])[],
): readonly RealAnswer[] | undefined {
  const script = sequences.flatMap((sequence) => [
    // iptables of nftables renames a built-in chain, and then has one too many.
    'nft flush ruleset',
    `${program} -F; ${program} -X; ${program} -P OUTPUT ACCEPT`,
    ...START.map((line) => `${program} ${line} || exit 99`),
    ...sequence.map(
      (words) => `${program} ${words.map(quoted).join(' ')} >/dev/null 2>&1; echo "status $?"`,
    ),
    `echo rules; ${program} -S`,
    ...LISTINGS.map(([flags]) => `echo listed; ${program} -L ${flags}`),
    `echo saved; ${program}-save -t filter; echo end`,
  ]);
  const { status, stdout } = spawnSync('unshare', ['-n', 'sh'], {
    input: `${script.join('\n')}\n`,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) return undefined;
  return stdout
    .split(/^end\n/m)
    .slice(0, -1)
    .map((text) => {
      const [before = '', rest = ''] = text.split(/^rules\n/m);
      const [both = '', saved = ''] = rest.split(/^saved\n/m);
      const [listed = '', ...listings] = both.split(/^listed\n/m);
      const statuses = [...before.matchAll(/^status (\d+)$/gm)].map(([, code]) => Number(code));
      return { statuses, rules: chosen(listed), listings: listings.map(listingOf), saved };
    });
}

/** What the program lists when it has restored each of the texts, and when something was added to it. */
export function restoreReal(
  program: string,
  texts: readonly string[],
): readonly (readonly (readonly string[])[])[] {
  const script = texts.flatMap((text) => [
    `${program}-restore <<'EOF' 2>&1`,
    text.trimEnd(),
    'EOF',
    `${program} -S; ${program}-restore --noflush <<'EOF' 2>&1`,
    ADDED,
    'EOF',
    `echo added; ${program} -S; echo end`,
  ]);
  const { stdout } = spawnSync('unshare', ['-n', 'sh'], {
    input: `${script.join('\n')}\n`,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return stdout
    .split(/^end\n/m)
    .slice(0, -1)
    .map((text) => text.split(/^added\n/m).map(chosen));
}

/** What is listed here when the same is added to the table. */
export function addOurs(base: Table, names: Names, family: Family): readonly string[] {
  const text = ADDED.replace('*filter', '*socket')
    .replaceAll('OUTPUT', 'CONNECT')
    .replaceAll(' -j', ` -${family} -j`);
  const { table, diagnostics } = parseSave(text, 'added', { names, base });
  return diagnostics.length > 0 ? diagnostics.map(({ message }) => message) : listOurs(table);
}

/** Rules of OUTPUT and of user chains, and the policy of OUTPUT. */
function chosen(listed: string): readonly string[] {
  return listed
    .split('\n')
    .filter(
      (line) =>
        line !== '' &&
        !/^(-P|-A) (INPUT|FORWARD|BIND|ACCEPT|SENDTO|RECVFROM) /.test(line) &&
        !line.startsWith('#'),
    );
}

/** OUTPUT is CONNECT here, and a rule of all addresses of a family says the family. */
const toOurs = (word: string) => (word === 'OUTPUT' ? 'CONNECT' : word);
const toTheirs = (text: string) => text.replaceAll('CONNECT', 'OUTPUT');

export function parseTheirs(saved: string, names: Names) {
  const text = saved
    .replace('*filter', '*socket')
    .replaceAll(/^:(INPUT|FORWARD).*\n/gm, '')
    .replaceAll('OUTPUT', 'CONNECT');
  return parseSave(text, 'dump', { names });
}

/** As iptables lists it: rules of a family are about nothing else there. */
export function listOurs(table: Table): readonly string[] {
  return chosen(toTheirs(printRules(table)).replaceAll(/ -[46](?= |$)/gm, ''));
}

export function saveOurs(table: Table): string {
  return toTheirs(printSave(table))
    .replace('*socket', '*filter')
    .replaceAll(/^:(BIND|ACCEPT|SENDTO|RECVFROM) .*\n/gm, '')
    .replaceAll(/ -[46](?= |$)/gm, '');
}

export function runOurs(
  sequence: readonly (readonly string[])[],
  names: Names,
  family: Family,
): Answer & { readonly table: Table } {
  let { table } = parseSave(
    `*socket\n:zeta - [0:0]\n:web - [0:0]\n-A web -${family} -j DROP\nCOMMIT\n`,
    'start',
    { names },
  );
  const statuses = sequence.map((words) => {
    const context = { names, groups: [] };
    const takesRule =
      (/^(-[AIRDC]|--append)$/.test(words[0] ?? '') && words.includes('-j')) ||
      words.includes('-g') ||
      words.includes('--jump');
    // There every rule is of the program's family.
    const all = takesRule ? [...words.map(toOurs), `-${family}`] : words.map(toOurs);
    const parsed = parseCommand(all, context);
    if (!parsed.command) return exitStatus(parsed.diagnostics);
    const { place, chain, target, command } = parsed;
    const unfit = unfitNames(
      table,
      command,
      { place, chain: chain?.span, target: target?.span },
      context,
    );
    if (unfit.length > 0) return exitStatus(unfit);
    try {
      if (isEdit(command)) {
        const edited = applyEdit(table, command);
        if (validate(edited).length > 0) return 1;
        table = edited;
      } else if (command.kind === 'check') {
        for (const rule of command.rules) findRule(table, command.chain, rule);
      } else if ('chain' in command && command.chain !== undefined)
        requireChain(table, command.chain);
      return 0;
    } catch (error) {
      if (!(error instanceof TableError)) throw error;
      return tableDiagnostic(error, place).exit;
    }
  });
  const listings = LISTINGS.map(([, options]) => listingOf(toTheirs(printListing(table, options))));
  return { statuses, rules: listOurs(table), listings, table };
}
