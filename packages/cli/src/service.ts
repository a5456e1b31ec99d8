/** `sockfilter install-service`. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { EXIT } from '@sockfilter/language';
import { replaceFile } from './atomicfile.js';
import { CommandError } from './failure.js';
import { type Globals, requireLive } from './globals.js';
import { note, print } from './output.js';
import { writableByOthers } from './rootsown.js';
import { startAgain } from './startagain.js';

/** The texts of the units in ../systemd, which the bundle has inside. */
declare const SERVICE_UNIT: string;
declare const JOURNAL_UNIT: string;

const FOLDER = '/etc/systemd/system';

interface RestoreOptions {
  readonly closed: boolean;
  readonly rules: string;
}

/** A unit of systemd that this program is started by. */
interface Unit {
  readonly name: string;
  readonly text: string;
  /** What it does, once it is enabled. */
  readonly does: string;
}

/** A word of a unit's command: quoted, with what systemd would expand doubled. */
function quote(word: string): string {
  const plain = word.replace(/[%$]/g, '$&$&');
  return /^[\w/.:=%$@+,-]+$/.test(plain) ? plain : `"${plain.replace(/[\\"]/g, '\\$&')}"`;
}

/** The command of a unit: this program, as it was started. */
function commandLine({ root }: Globals, words: readonly string[]): string {
  const program = startAgain().map((word) => realpathSync(word));
  return [...program, ...(root === '/' ? [] : ['--root', root]), ...words].map(quote).join(' ');
}

function restoreUnit(globals: Globals, { closed, rules }: RestoreOptions): Unit {
  const restore = (more: readonly string[]) =>
    commandLine(globals, ['--wait=60', 'restore', ...more, resolve(rules)]);
  const text = SERVICE_UNIT.replace(
    /^ExecStart=.*$/m,
    () => `ExecStart=${restore(closed ? ['--fail-closed'] : [])}`,
  )
    .replace(/^ExecReload=.*$/m, () => `ExecReload=${restore([])}`)
    .replace(/^RequiresMountsFor=.*$/m, (line) => `${line} ${quote(dirname(resolve(rules)))}`);
  return { name: 'sockfilter.service', text, does: `it restores ${rules} at boot` };
}

function journalUnit(globals: Globals): Unit {
  const command = commandLine(globals, ['monitor', '--journal']);
  return {
    name: 'sockfilter-journal.service',
    text: JOURNAL_UNIT.replace(/^ExecStart=.*$/m, () => `ExecStart=${command}`),
    does: 'it writes refused and logged calls to the journal from the next boot on',
  };
}

function systemctl(unit: string, words: readonly string[]): void {
  const { status, stderr, error } = spawnSync('systemctl', words, { encoding: 'utf8' });
  if (status === 0) return;
  const said = stderr?.trim().split('\n')[0] || error?.message || `it exits with ${status}`;
  throw new CommandError(
    `${join(FOLDER, unit)} is written, but \`systemctl ${words.join(' ')}\` fails: ${said}`,
    EXIT.resource,
    `run \`systemctl daemon-reload && systemctl enable ${unit}\` where systemd runs`,
  );
}

/** Throws CommandError where others than root could change what the unit runs, or reads. */
function requireRootsOwn(path: string, use: string, help: string): void {
  const writable = writableByOthers(path);
  if (writable === undefined) return;
  throw new CommandError(
    `the unit would ${use} ${path}, and not only root may write \`${writable}\``,
    EXIT.unfit,
    help,
  );
}

function install({ name, text, does }: Unit): void {
  for (const word of startAgain())
    requireRootsOwn(
      word,
      'run, as root,',
      'install sockfilter where only root may write: its .deb or .rpm, or `npm install --global` as root; `--print` prints the unit',
    );
  const path = join(FOLDER, name);
  mkdirSync(FOLDER, { recursive: true });
  replaceFile(path, text);
  systemctl(name, ['daemon-reload']);
  systemctl(name, ['enable', name]);
  print(`${path} is enabled: ${does}\n`);
}

export interface ServiceOptions {
  /** What is to be if the rules can't be put in force; undefined for a unit that needs none. */
  readonly fail: string | undefined;
  readonly rules: string | undefined;
  /** The unit that keeps events, in the stead of the one that restores the rules. */
  readonly journal: boolean;
  readonly print: boolean;
}

const RULES = '/etc/sockfilter/rules';

export function installService(globals: Globals, options: ServiceOptions): void {
  requireLive(globals, 'install-service');
  const { fail, journal, rules = RULES, print: only } = options;
  if (journal && (fail !== undefined || options.rules !== undefined))
    throw new CommandError('`--journal` restores nothing: no `--fail`, no `--rules`', EXIT.usage);
  if (!journal && fail === undefined)
    throw new CommandError(
      '`install-service` needs `--fail`: what is to be if the file can not be put in force',
      EXIT.usage,
      'write `--fail open` or `--fail closed`',
    );
  const unit = journal
    ? journalUnit(globals)
    : restoreUnit(globals, { closed: fail === 'closed', rules });
  if (only) {
    print(unit.text);
    return;
  }
  if (!journal && existsSync(rules))
    requireRootsOwn(resolve(rules), 'restore', 'keep the rules in /etc, as by default');
  else if (!journal) note(`\`${rules}\` is not there yet: \`sockfilter save -f ${rules}\``);
  install(unit);
}
