/** The manual, as man(1) shows it: every command, option, match and target is in it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { MATCHES } from '@sockfilter/table';
import { COMMANDS } from '../../packages/cli/src/commandrow.js';
import { HELP } from '../../packages/cli/src/help.js';
import { describeProgram } from '../harness/needing.js';

const FOLDER = join(__dirname, '../../packages/cli/dist/man');

/** As it is read on a wide terminal. */
function shown(page: string): string {
  const env = { ...process.env, MANWIDTH: '200', LC_ALL: 'C.UTF-8' };
  const text = execFileSync('man', ['-l', join(FOLDER, page)], { env, encoding: 'utf8' });
  return text.replace(/ +/g, ' ');
}

describeProgram('man', 'the manual', () => {
  test('sockfilter(8) has every command and its options', () => {
    const text = shown('sockfilter.8');
    for (const { words, describe: about, options } of COMMANDS) {
      expect(text).toContain(`sockfilter ${words}`);
      expect(text.toLowerCase()).toContain(about.toLowerCase().split('`')[0]?.trim());
      for (const option of Object.keys(options)) expect(text).toContain(`--${option}`);
    }
    const [, examples = ''] = /Examples:\n([\s\S]*?)\n\n/.exec(HELP) ?? [];
    for (const line of examples.split('\n')) expect(text).toContain(line.trim());
    for (const word of ['SYNOPSIS', 'EXIT STATUS', 'ENVIRONMENT', 'SOCKFILTER_ROOT', 'SEE ALSO'])
      expect(text).toContain(word);
  });

  test('sockfilter.rules(5) has every match and target', () => {
    const text = shown('sockfilter.rules.5');
    for (const name of [...Object.keys(MATCHES), 'ACCEPT', 'DROP', 'REJECT', 'RETURN'])
      expect(text).toContain(name);
    expect(text).toContain('*socket');
  });

  test('the pages of save and restore name themselves', () => {
    expect(shown('sockfilter-save.8')).toContain('sockfilter-save -c -f web.rules');
    expect(shown('sockfilter-restore.8')).toContain('sockfilter-restore --test web.rules');
  });
});

describeProgram('groff', 'roff', () => {
  test.each(readdirSync(FOLDER))('%s has no fault', (page) => {
    const words = ['-man', '-Tutf8', '-ww', '-rLL=80n', '-rCHECKSTYLE=2', join(FOLDER, page)];
    const { status, stderr } = spawnSync('groff', words, { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
