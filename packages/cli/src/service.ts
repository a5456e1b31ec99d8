/** `sockfilter install-service`. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { EXIT } from '@sockfilter/language';
import { replaceFile } from './atomicfile.js';
import { CommandError } from './failure.js';
import { type Globals, requireLive } from './globals.js';
import { note, print } from './output.js';
import { startAgain } from './startagain.js';

/** The text of ../systemd/sockfilter.service, which the bundle has inside. */
declare const SERVICE_UNIT: string;

const UNIT = '/etc/systemd/system/sockfilter.service';

export interface ServiceOptions {
  readonly closed: boolean;
  readonly rules: string;
  readonly print: boolean;
}

/** A word of a unit's command: quoted, with what systemd would expand doubled. */
function quote(word: string): string {
  const plain = word.replace(/[%$]/g, '$&$&');
  return /^[\w/.:=%$@+,-]+$/.test(plain) ? plain : `"${plain.replace(/[\\"]/g, '\\$&')}"`;
}

function unitText({ root }: Globals, { closed, rules }: ServiceOptions): string {
  const words = [
    ...startAgain().map((word) => realpathSync(word)),
    ...(root === '/' ? [] : ['--root', root]),
    '--wait=60',
  ];
  const restore = (more: readonly string[]) =>
    [...words, 'restore', ...more, resolve(rules)].map(quote).join(' ');
  return SERVICE_UNIT.replace(
    /^ExecStart=.*$/m,
    () => `ExecStart=${restore(closed ? ['--fail-closed'] : [])}`,
  )
    .replace(/^ExecReload=.*$/m, () => `ExecReload=${restore([])}`)
    .replace(/^RequiresMountsFor=.*$/m, (line) => `${line} ${quote(dirname(resolve(rules)))}`);
}

function systemctl(words: readonly string[]): void {
  const { status, stderr, error } = spawnSync('systemctl', words, { encoding: 'utf8' });
  if (status === 0) return;
  const said = stderr?.trim().split('\n')[0] || error?.message || `it exits with ${status}`;
  throw new CommandError(
    `${UNIT} is written, but \`systemctl ${words.join(' ')}\` fails: ${said}`,
    EXIT.resource,
    'run `systemctl daemon-reload && systemctl enable sockfilter.service` where systemd runs',
  );
}

export function installService(globals: Globals, options: ServiceOptions): void {
  requireLive(globals, 'install-service');
  const text = unitText(globals, options);
  if (options.print) {
    print(text);
    return;
  }
  mkdirSync(dirname(UNIT), { recursive: true });
  replaceFile(UNIT, text);
  if (!existsSync(options.rules))
    note(`\`${options.rules}\` is not there yet: \`sockfilter save -f ${options.rules}\``);
  systemctl(['daemon-reload']);
  systemctl(['enable', 'sockfilter.service']);
  print(`${UNIT} is enabled: it restores ${options.rules} at boot\n`);
}
