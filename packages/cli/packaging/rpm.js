/** The .rpm, by rpmbuild. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { layOut } from './installation.js';

const spec = ({ version, level, architecture }) => `Name: sockfilter
Version: ${version}
Release: 1
Summary: An iptables-style firewall for socket calls
License: MIT
ExclusiveArch: ${architecture.rpm}
# What is inside is nobody's to link with.
%global __provides_exclude_from ^/usr/lib/sockfilter/.*$
# All is laid out already, and stays as it is.
%global __os_install_post %{nil}
%global debug_package %{nil}
%global _build_id_links none
%global _buildhost reproducible
%global use_source_date_epoch_as_buildtime 1
%global clamp_mtime_to_source_date_epoch 1
%global _binary_payload w${level}.xzdio

%description
Rules in the manner of iptables decide what bind, connect, sendto, accept and
recvfrom may do, for each control group if asked for; the kernel enforces them
by cgroup BPF. Calls can be explained, and rule files checked, tested and
compared, before they are in force.

The command has all inside that it needs, Node.js included.

%files
%attr(-, root, root) /usr/lib/sockfilter
%attr(-, root, root) /usr/bin/*
%attr(-, root, root) /usr/share/man/man8/*
%attr(-, root, root) /usr/share/bash-completion/completions/sockfilter
%attr(-, root, root) /usr/share/zsh/site-functions/_sockfilter
%attr(-, root, root) /usr/share/fish/vendor_completions.d/sockfilter.fish
%attr(-, root, root) /usr/lib/systemd/system/*.service
%attr(-, root, root) /usr/share/doc/sockfilter
%attr(-, root, root) /usr/share/licenses/sockfilter
%dir %attr(-, root, root) /etc/sockfilter
%config(noreplace) %attr(-, root, root) /etc/sockfilter/socket.rules
`;

/** Makes the package in `out`, laid out below `work`; gives its path. */
export function makeRpm(out, work, contents) {
  const { date, copyright, bom, changes, architecture } = contents;
  const root = join(work, 'root');
  mkdirSync(root, { recursive: true });
  layOut(root, {
    ...contents,
    zshFolder: 'site-functions',
    documents: {
      'usr/share/licenses/sockfilter/copyright': copyright,
      'usr/share/doc/sockfilter/CHANGELOG.md': changes,
      'usr/share/doc/sockfilter/sbom.cdx.json': bom,
    },
  });
  const file = join(work, 'sockfilter.spec');
  writeFileSync(file, spec(contents));
  const defined = {
    _topdir: join(work, 'top'),
    _rpmdir: join(work, 'rpms'),
  };
  const words = Object.entries(defined).flatMap(([name, value]) => [
    '--define',
    `${name} ${value}`,
  ]);
  execFileSync(
    'rpmbuild',
    ['-bb', '--quiet', '--target', architecture.rpm, ...words, '--buildroot', root, file],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, SOURCE_DATE_EPOCH: String(date.getTime() / 1000) },
    },
  );
  const folder = join(work, 'rpms', architecture.rpm);
  const [made] = readdirSync(folder);
  renameSync(join(folder, made), join(out, made));
  return join(out, made);
}
