/**
 * `node keep.cjs`: keeps in dist/ what V8 compiles of its files, for start.cjs; when the package is built and when npm installs it, where it
 * never fails. `node keep.cjs DIST OUT`: keeps FILE.cache and FILE, wrapped, in OUT for each file of DIST, for the single executable.
 *
 * It runs what most commands need and no more: what is kept has to be read at each start. By the node that will run them: V8 takes nothing
 * that another version or other flags have made.
 */
const fs = require('node:fs');
const { tmpdir } = require('node:os');
const { join, relative } = require('node:path');
const { BLOCK, KEPT, compilePart, fileIdentity, nodeIdentity } = require('./start.cjs');
const { runPart, sumOf, wrap } = require('./start.cjs');

const RULES = `*socket
:BIND DROP [0:0]
-G web --id 3 --path /web.slice
-N own
-A BIND -m cgroup --id 3 -d 10.0.0.0/8 -p tcp --dport 80:90 -m comment --comment "web" -j ACCEPT
-A CONNECT -m owner --uid-owner 1000 -j REJECT --reject-with EACCES
-A CONNECT ! -d 10.0.0.0/8 -p udp -m multiport --dports 53,5353 -j own
-A own -d ::1 -j RETURN
COMMIT
`;
const EXPECTATIONS = 'invariants: [{ never: accept, in: { chain: BIND, group: 0 } }]\n';
const COMMANDS = [
  '--version',
  'save --help',
  '--file web.rules -S',
  '--file web.rules save',
  '--file web.rules -C CONNECT -m owner --uid-owner 1000 -j REJECT --reject-with EACCES',
  '--file web.rules -A CONNECT -d 10.0.0.5 -j DROP',
  'check web.rules',
  'restore --test web.rules',
  'test web.rules',
  'explain --file web.rules BIND --proto tcp --dst 10.0.0.5:80',
];

/** Compiles and runs the parts of a folder as they are asked for, and has them all in `scripts`. */
class Parts {
  scripts = new Map();
  #loaded = new Map();

  constructor(dist) {
    this.dist = dist;
  }

  require = (name) => {
    // Flags that a command sets would be asked for where it is kept.
    if (name === 'node:v8') return { ...require(name), setFlagsFromString() {} };
    if (!name.startsWith('./')) return require(name);
    const part = name.slice(2);
    const found = this.#loaded.get(part);
    if (found) return found.exports;
    const filename = join(this.dist, part);
    const text = fs.readFileSync(filename);
    const script = compilePart(filename, wrap(text.toString()));
    const module = { exports: {} };
    this.#loaded.set(part, module);
    this.scripts.set(part, { text, script });
    return runPart(script, filename, this.require, module);
  };
}

/** Runs the commands on files of their own, with nothing of the environment, and with no output. */
async function runCommands({ main }) {
  const folder = fs.mkdtempSync(join(tmpdir(), 'sockfilter-keep-'));
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, { PATH: '/nonexistent', SOCKFILTER_STATE_DIR: folder });
  process.chdir(folder);
  fs.closeSync(1);
  fs.openSync('/dev/null', 'w');
  try {
    for (const words of COMMANDS) {
      fs.writeFileSync('web.rules', RULES);
      fs.writeFileSync('web.test.yaml', EXPECTATIONS);
      await main(words.split(' '));
      if (process.exitCode > 1) throw new Error(`\`${words}\` fails`);
    }
  } finally {
    process.chdir('/');
    fs.rmSync(folder, { recursive: true });
    process.exitCode = 0;
  }
}

/** Each part's text and what V8 has compiled of it. */
async function compileParts(dist) {
  const parts = new Parts(dist);
  await runCommands(parts.require('./main.cjs'));
  for (const name of fs.readdirSync(dist)) if (name.endsWith('.cjs')) parts.require(`./${name}`);
  return [...parts.scripts].map(([part, { text, script }]) => ({
    part,
    text,
    data: script.createCachedData(),
  }));
}

/** Where koffi finds its addon, if all that it gives is the addon's; undefined where it has none. */
function findAddon() {
  const loaded = [];
  const { dlopen } = process;
  process.dlopen = (module, path, ...flags) => {
    dlopen.call(process, module, path, ...flags);
    loaded.push({ module, path });
  };
  try {
    const koffi = require('koffi');
    const [first, ...others] = loaded;
    if (!first || others.length > 0 || koffi.default !== first.module.exports) return undefined;
    return { path: relative(__dirname, first.path), identity: fileIdentity(first.path) };
  } catch {
    return undefined;
  } finally {
    process.dlopen = dlopen;
  }
}

/** The text of the file that start.cjs reads. */
function layOut(compiled) {
  const body = [];
  let size = 0;
  const put = (bytes) => {
    const at = size;
    body.push(bytes);
    size += bytes.length;
    return at;
  };
  const parts = {};
  for (const { part, text, data } of compiled) {
    if (text.some((byte) => byte > 0x7f)) continue;
    const places = { textAt: put(text), textSize: text.length };
    parts[part] = { ...places, dataAt: put(data), dataSize: data.length, sum: sumOf(data) };
  }
  const longest = (key) => Math.max(...Object.values(parts).map((places) => places[key]));
  const header = Buffer.from(
    JSON.stringify({
      node: nodeIdentity(),
      addon: findAddon(),
      size,
      longest: { text: longest('textSize'), data: longest('dataSize') },
      parts,
    }),
  );
  if (4 + header.length > BLOCK) throw new Error('the header is too long');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  return Buffer.concat([length, header, ...body]);
}

/** Puts a file in its place that is whole or not there, also after a loss of power. */
function writeWhole(folder, name, bytes) {
  const next = join(folder, `.${name}.${process.pid}`);
  fs.rmSync(next, { force: true });
  const fd = fs.openSync(next, 'wx', 0o644);
  try {
    fs.writeFileSync(fd, bytes);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
  fs.renameSync(next, join(folder, name));
}

async function keep(dist) {
  writeWhole(dist, KEPT, layOut(await compileParts(dist)));
}

async function keepForExecutable(dist, out) {
  for (const { part, text, data } of await compileParts(dist)) {
    fs.writeFileSync(join(out, part), wrap(text.toString()));
    fs.writeFileSync(join(out, `${part}.cache`), data);
  }
}

const [, , dist, out] = process.argv;
if (out !== undefined) keepForExecutable(dist, out);
else keep(join(__dirname, '../dist')).catch(() => {});
