/** What a package installs, laid out below a folder as it will be below /. All belongs to root. */
import {
  chmodSync,
  copyFileSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const here = fileURLToPath(new URL('.', import.meta.url));
const dist = join(here, '../dist');

const units = join(here, '../systemd');

/** A packed unit runs the command that is packed with it, on the file that is packed with it. */
function unitText(name) {
  return readFileSync(join(units, name), 'utf8')
    .replaceAll('/usr/local/bin/sockfilter', '/usr/bin/sockfilter')
    .replaceAll('/etc/sockfilter/rules', '/etc/sockfilter/socket.rules');
}

/** Debian's changelog of one version, made of ours. */
export function debianChangelog({ version, date, maintainer, changes }) {
  const [, ...entries] = changes.split(/^- /m);
  const lines = entries.map((entry) => `  * ${wrap(entry.trim().split(/\s+/), 76).join('\n    ')}`);
  const time = date.toUTCString().replace('GMT', '+0000');
  return `sockfilter (${version}) unstable; urgency=medium\n\n${lines.join('\n')}\n\n -- ${maintainer}  ${time}\n`;
}

/** Lines of words, each at most so wide if a word is. */
function wrap(words, width) {
  const lines = [''];
  for (const word of words) {
    const line = `${lines.at(-1)} ${word}`.trim();
    if (line.length <= width) lines[lines.length - 1] = line;
    else lines.push(word);
  }
  return lines;
}

/** Writes all files; times are `date`, so that equal contents make equal packages. */
export function layOut(root, { executable, addon, manual, documents, zshFolder, date }) {
  const put = (path, text, mode = 0o644) => {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    chmodSync(file, mode);
  };
  const copy = (path, from, mode) => {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    copyFileSync(from, file);
    chmodSync(file, mode);
  };
  // zlib writes no time and no name.
  const zip = (text) => gzipSync(text, { level: 9 });

  copy('usr/lib/sockfilter/sockfilter', executable, 0o755);
  copy('usr/lib/sockfilter/koffi.node', addon, 0o644);
  mkdirSync(join(root, 'usr/bin'));
  for (const name of ['sockfilter', 'sockfilter-save', 'sockfilter-restore'])
    symlinkSync('../lib/sockfilter/sockfilter', join(root, 'usr/bin', name));
  for (const [name, text] of Object.entries(manual))
    put(`usr/share/man/man8/${name}.8.gz`, zip(text));
  const completion = (file) => readFileSync(join(dist, 'completion', file));
  put('usr/share/bash-completion/completions/sockfilter', completion('sockfilter.bash'));
  put(`usr/share/zsh/${zshFolder}/_sockfilter`, completion('_sockfilter'));
  put('usr/share/fish/vendor_completions.d/sockfilter.fish', completion('sockfilter.fish'));
  for (const name of readdirSync(units)) put(`usr/lib/systemd/system/${name}`, unitText(name));
  put('etc/sockfilter/socket.rules', readFileSync(join(here, 'socket.rules')));
  for (const [path, text] of Object.entries(documents))
    put(path, path.endsWith('.gz') ? zip(text) : text);
  settle(root, date);
}

/** Sets the time of all below a folder, and of itself; folders are for all to read. */
export function settle(path, date) {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const inside = join(path, entry.name);
    if (entry.isDirectory()) settle(inside, date);
    else lutimesSync(inside, date, date);
  }
  chmodSync(path, 0o755);
  lutimesSync(path, date, date);
}
