/**
 * `node test/packages/startup.js RELEASE`: size and start-up of the packed executable beside the command as npm installs
 * it, by turns, in milliseconds of CPU (user and system): medians, and the least.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROUNDS = 15;
const [, , release = 'packages/cli/release'] = process.argv;
const bin = fileURLToPath(new URL('../../packages/cli/bin/sockfilter.cjs', import.meta.url));
const forms = {
  npm: [process.execPath, bin],
  executable: [resolve(release, 'sockfilter/sockfilter')],
};

if (!existsSync(forms.executable[0])) {
  console.error(`no executable in ${release}: \`npm run package\` makes it`);
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), 'sockfilter-startup-'));
const rules = join(folder, 'own.rules');
writeFileSync(rules, '*socket\n-A BIND -d 10.0.0.5 -j DROP\nCOMMIT\n');

/** CPU milliseconds. */
function measure(words) {
  const script = 'TIMEFORMAT="%U %S"; time "$@" >/dev/null 2>&1';
  const { stderr } = spawnSync('bash', ['-c', script, 'time', ...words], { encoding: 'utf8' });
  const [user, system] = stderr.trim().split(' ').map(Number);
  return (user + system) * 1000;
}

try {
  for (const name of readdirSync(release)) {
    const { size } = statSync(join(release, name));
    if (/\.(deb|rpm)$/.test(name)) console.log(`${(size / 1e6).toFixed(1)} MB  ${name}`);
  }
  const { size } = statSync(forms.executable[0]);
  console.log(
    `${(size / 1e6).toFixed(1)} MB  executable; node alone, ${process.version}: ${(statSync(process.execPath).size / 1e6).toFixed(1)} MB`,
  );
  for (const words of [['--version'], ['--file', rules, '-S'], ['check', rules]]) {
    const times = { npm: [], executable: [] };
    for (let round = 0; round < ROUNDS; round++)
      for (const [form, command] of Object.entries(forms))
        times[form].push(measure([...command, ...words]));
    const said = Object.entries(times).map(([form, all]) => {
      all.sort((a, b) => a - b);
      return `${form} ${all[ROUNDS >> 1].toFixed(0)} (${all[0].toFixed(0)}) ms`;
    });
    console.log(`${words[0] === '--file' ? '-S' : words[0]}: ${said.join(', ')}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
