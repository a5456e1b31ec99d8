/**
 * `npm run package [-- --out FOLDER] [--version VERSION] [--level 0-9] [--arch amd64|arm64]`: the single executable, and a .deb and an .rpm of it. Needs
 * npm for the Node that goes inside, strip (for arm64 that of binutils-aarch64-linux-gnu), dpkg-deb, and for the .rpm rpmbuild. Two runs on the same sources make
 * equal packages, but for what V8 keeps of compiled code. SOURCE_DATE_EPOCH is the time in them; without it, the commit's.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeDeb } from './deb.js';
import { makeExecutable } from './executable.js';
import { makeManual } from './manual.js';
import { fetchNode, fetchPackage } from './node.js';
import { bomText, copyrightText, listParts } from './parts.js';
import { makeRpm } from './rpm.js';

const cli = fileURLToPath(new URL('..', import.meta.url));
const top = join(cli, '../..');
const read = (path) => readFileSync(join(top, path), 'utf8');

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: join(cli, 'release') },
    version: { type: 'string', default: JSON.parse(read('packages/cli/package.json')).version },
    // xz's: 0 is soon done.
    level: { type: 'string', default: '6' },
    arch: { type: 'string', default: 'amd64' },
  },
});

/** What a processor is called by Debian, by npm and by rpm, what strips its programs, and Debian's package of that. */
const ARCHITECTURES = {
  amd64: { debian: 'amd64', npm: 'x64', rpm: 'x86_64', strip: 'strip', binutils: 'binutils' },
  arm64: {
    debian: 'arm64',
    npm: 'arm64',
    rpm: 'aarch64',
    strip: 'aarch64-linux-gnu-strip',
    binutils: 'binutils-aarch64-linux-gnu',
  },
};
/** The one that packages are made on. */
const HERE = ARCHITECTURES.amd64;

function commitTime() {
  const words = ['log', '-1', '--format=%ct'];
  return (
    process.env.SOURCE_DATE_EPOCH ?? execFileSync('git', words, { cwd: top, encoding: 'utf8' })
  );
}

/** koffi's addon for the processor, of the version and digest in the lock file. */
function addonOf(cpu, folder) {
  const name = `@koromix/koffi-linux-${cpu}`;
  const path = `linux_${cpu}/koffi.node`;
  const installed = join(top, 'node_modules', name, path);
  if (existsSync(installed)) return installed;
  const { version, integrity } = JSON.parse(read('package-lock.json')).packages[
    `node_modules/${name}`
  ];
  return join(fetchPackage(`${name}@${version}`, { integrity, files: [path] }, folder), path);
}

const architecture = ARCHITECTURES[values.arch];
if (!architecture) {
  console.error(`no packages for \`${values.arch}\`: ${Object.keys(ARCHITECTURES).join(', ')}`);
  process.exit(2);
}
const missing = [architecture.strip, 'dpkg-deb'].filter(
  (program) => spawnSync(program, ['--version']).error,
);
if (missing.length > 0) {
  console.error(`not installed: ${missing.join(' and ')} (Debian: ${architecture.binutils}, dpkg)`);
  process.exit(2);
}
const out = resolve(values.out);
const { version } = values;
const date = new Date(Number(commitTime()) * 1000);
const maintainer =
  process.env.DEBEMAIL ?? 'the sockfilter authors <maintainers@sockfilter.invalid>';
const work = mkdtempSync(join(tmpdir(), 'sockfilter-release-'));
try {
  mkdirSync(out, { recursive: true });
  const node = fetchNode(HERE.npm, join(work, 'node'));
  const inside = architecture === HERE ? node : fetchNode(architecture.npm, join(work, 'inside'));
  const folder = join(out, 'sockfilter');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const executable = join(folder, 'sockfilter');
  const addon = join(folder, 'koffi.node');
  await makeExecutable({
    node: join(node, 'bin/node'),
    inside: join(inside, 'bin/node'),
    strip: architecture.strip,
    work: join(work, 'parts'),
    out: executable,
  });
  cpSync(addonOf(architecture.npm, join(work, 'addon')), addon);
  const parts = listParts({
    dist: join(cli, 'dist'),
    koffiFolder: join(top, 'node_modules/koffi'),
  });
  const contents = {
    version,
    architecture,
    level: values.level,
    date,
    maintainer,
    executable,
    addon,
    manual: await makeManual(join(cli, 'bin/sockfilter.cjs'), {
      version,
      date: date.toISOString().slice(0, 10),
    }),
    copyright: copyrightText(read('LICENSE'), parts, readFileSync(join(node, 'LICENSE'), 'utf8')),
    bom: bomText({ version, cpu: architecture.npm, nodeBinary: join(node, 'bin/node') }, parts),
    changes: read('CHANGELOG.md'),
  };
  const made = [executable, makeDeb(out, join(work, 'deb'), contents)];
  if (spawnSync('rpmbuild', ['--version']).error)
    console.error('no .rpm is made: rpmbuild is not installed (Debian: apt-get install rpm)');
  else made.push(makeRpm(out, join(work, 'rpm'), contents));
  const playground = join(out, 'playground.html');
  const words = [join(top, 'packages/playground/build.js'), playground];
  execFileSync(process.execPath, words, { stdio: ['ignore', 'ignore', 'inherit'] });
  made.push(playground);
  for (const file of made) console.log(`${(statSync(file).size / 1e6).toFixed(1)} MB  ${file}`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
