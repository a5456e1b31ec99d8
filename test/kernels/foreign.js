/**
 * The files of a machine whose programs this one can't run: Debian's packages, unpacked and not configured, a Node, and
 * the workspace's dependencies for its processor. Made once, and again when the lock file has changed.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fetchNode } from '../../packages/cli/packaging/node.js';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

/** What the tests and the start of the machine run. */
const PACKAGES = [
  ...['bash', 'dash', 'coreutils', 'grep', 'sed', 'gawk', 'findutils', 'hostname'],
  ...['util-linux', 'mount', 'kmod', 'procps', 'iproute2', 'iptables', 'nftables'],
  ...['base-passwd', 'netbase', 'libstdc++6'],
];
/** What the packages' scripts would have made. */
const LINKS = {
  'usr/bin/awk': 'gawk',
  'usr/sbin/iptables': 'iptables-nft',
  'usr/sbin/ip6tables': 'ip6tables-nft',
};

/** apt with a state of its own in the folder, in which nothing is installed; it downloads to `cwd`. */
export function foreignApt(folder, arch, cwd = folder) {
  const at = (...names) => join(folder, 'apt', ...names);
  for (const path of [at('lists/partial'), at('cache/archives/partial')])
    mkdirSync(path, { recursive: true });
  if (!existsSync(at('status'))) writeFileSync(at('status'), '');
  const options = {
    'APT::Architecture': arch,
    'APT::Architectures': arch,
    'APT::Sandbox::User': 'root',
    'Dir::State::lists': at('lists'),
    'Dir::State::status': at('status'),
    'Dir::Cache': at('cache'),
  };
  const words = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const run = (program, ...more) =>
    execFileSync(program, [...words, ...more], { cwd, encoding: 'utf8' });
  if (readdirSync(at('lists')).length < 3) run('apt-get', 'update', '-q');
  return { run, archives: at('cache/archives') };
}

function unpack(root, archives) {
  for (const name of ['bin', 'sbin', 'lib']) {
    mkdirSync(join(root, 'usr', name), { recursive: true });
    symlinkSync(`usr/${name}`, join(root, name));
  }
  for (const name of ['proc', 'sys', 'dev', 'run', 'tmp', 'root', 'var'])
    mkdirSync(join(root, name));
  for (const file of readdirSync(archives).filter((each) => each.endsWith('.deb')))
    execFileSync('sh', [
      '-c',
      'dpkg-deb --fsys-tarfile "$0" | tar -x --keep-directory-symlink -C "$1"',
      join(archives, file),
      root,
    ]);
  for (const [path, target] of Object.entries(LINKS)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    rmSync(join(root, path), { force: true });
    symlinkSync(target, join(root, path));
  }
  for (const name of ['passwd', 'group'])
    cpSync(join(root, `usr/share/base-passwd/${name}.master`), join(root, 'etc', name));
}

/** node_modules of the workspace for the processor. */
function fetchModules(folder, cpu) {
  const lock = readFileSync(join(REPOSITORY, 'package-lock.json'));
  const digest = createHash('sha256').update(lock).digest('hex');
  const made = join(folder, 'workspace', digest);
  if (existsSync(join(made, 'made'))) return join(made, 'node_modules');
  rmSync(join(folder, 'workspace'), { recursive: true, force: true });
  const manifests = readdirSync(join(REPOSITORY, 'packages'))
    .map((name) => join('packages', name, 'package.json'))
    .filter((path) => existsSync(join(REPOSITORY, path)));
  for (const path of ['package.json', 'package-lock.json', ...manifests])
    cpSync(join(REPOSITORY, path), join(made, path));
  const words = ['ci', `--cpu=${cpu}`, '--os=linux', '--libc=glibc', '--ignore-scripts'];
  execFileSync('npm', [...words, '--no-audit', '--no-fund'], { cwd: made, stdio: 'ignore' });
  mkdirSync(join(made, 'made'));
  return join(made, 'node_modules');
}

/** The root of the machine, and the folder that lies over the workspace's node_modules there. */
export function makeForeign(folder, arch, { npm }) {
  const root = join(folder, 'root');
  if (!existsSync(join(root, 'made'))) {
    const apt = foreignApt(folder, arch);
    const words = ['install', '-y', '-q', '--download-only', '--no-install-recommends'];
    apt.run('apt-get', ...words, ...PACKAGES);
    rmSync(root, { recursive: true, force: true });
    unpack(root, apt.archives);
    cpSync(join(fetchNode(npm, join(folder, 'node')), 'bin/node'), join(root, 'usr/bin/node'));
    mkdirSync(join(root, 'made'));
  }
  return { root, modules: fetchModules(folder, npm) };
}
