/** The .deb, by dpkg-deb. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { debianChangelog, layOut, settle } from './installation.js';

const debian = fileURLToPath(new URL('debian', import.meta.url));

function* files(root, path = '') {
  for (const entry of readdirSync(join(root, path), { withFileTypes: true })) {
    const inside = join(path, entry.name);
    if (entry.isDirectory()) yield* files(root, inside);
    else if (entry.isFile()) yield inside;
  }
}

const control = ({ version, architecture, maintainer, size }) => `Package: sockfilter
Version: ${version}
Section: net
Priority: optional
Architecture: ${architecture}
Maintainer: ${maintainer}
Installed-Size: ${size}
Depends: libc6 (>= 2.28), libgcc-s1, libstdc++6 (>= 6.0.25)
Suggests: bash-completion
Description: iptables-style firewall for socket calls
 Rules in the manner of iptables decide what bind, connect, sendto, accept and
 recvfrom may do, for each control group if asked for; the kernel enforces them
 by cgroup BPF. Calls can be explained, and rule files checked, tested and
 compared, before they are in force.
 .
 The command has all inside that it needs, Node.js included.
`;

/** Makes the package in `out`, laid out below `work`; gives its path. */
export function makeDeb(out, work, contents) {
  const { version, date, maintainer, copyright, bom } = contents;
  const architecture = contents.architecture.debian;
  const doc = 'usr/share/doc/sockfilter';
  layOut(work, {
    ...contents,
    zshFolder: 'vendor-completions',
    documents: {
      [`${doc}/copyright`]: copyright,
      [`${doc}/changelog.gz`]: debianChangelog(contents),
      [`${doc}/sbom.cdx.json`]: bom,
      'usr/share/lintian/overrides/sockfilter': readFileSync(join(debian, 'lintian-overrides')),
    },
  });
  const installed = [...files(work)].sort();
  const bytes = installed.reduce((sum, path) => sum + statSync(join(work, path)).size, 0);
  const sums = installed
    .filter((path) => !path.startsWith('etc/'))
    .map(
      (path) =>
        `${createHash('md5')
          .update(readFileSync(join(work, path)))
          .digest('hex')}  ${path}\n`,
    );
  const info = join(work, 'DEBIAN');
  mkdirSync(info);
  writeFileSync(
    join(info, 'control'),
    control({ version, architecture, maintainer, size: Math.ceil(bytes / 1024) }),
  );
  writeFileSync(join(info, 'conffiles'), '/etc/sockfilter/socket.rules\n');
  writeFileSync(join(info, 'md5sums'), sums.join(''));
  for (const name of readdirSync(info)) chmodSync(join(info, name), 0o644);
  for (const name of ['postinst', 'postrm']) {
    copyFileSync(join(debian, name), join(info, name));
    chmodSync(join(info, name), 0o755);
  }
  settle(info, date);
  const file = join(out, `sockfilter_${version}_${architecture}.deb`);
  const words = [
    '--root-owner-group',
    '-Zxz',
    `-z${contents.level}`,
    '--threads-max=2',
    '--build',
    work,
    file,
  ];
  execFileSync('dpkg-deb', words, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, SOURCE_DATE_EPOCH: String(date.getTime() / 1000) },
  });
  return file;
}
