/**
 * Where a command starts: the files of dist/, compiled with what V8 has kept of them in dist/compiled, if that fits.
 *
 * `keep.cjs` makes that file where the package is built or installed; no command writes it. V8 believes what it says, so it is
 * taken only if it belongs to root or to the owner of this file and nobody else can write it, if the same program of node has
 * made it, and if it is whole. Of a part it is taken only if the part has the text that it had then. All else is passed by in
 * silence, and the code is compiled.
 *
 *     length of the header, 32 bits | header, JSON | the rest
 *
 * The header says which node has made it, where koffi's addon is, how long the rest is, and where in it the text and V8's data of each part are.
 */
const { closeSync, constants, fstatSync, lstatSync, openSync } = require('node:fs');
const { readFileSync, readSync, statSync } = require('node:fs');
const { join } = require('node:path');
const { Script } = require('node:vm');

const DIST = join(__dirname, '../dist');
const KEPT = 'compiled';
const WRITABLE_BY_OTHERS = 0o022;
/** Of the largest header, and of what is compared at once. */
const BLOCK = 65_536;
/** What disks write is lost by sectors. */
const SECTOR = 512;

const WRAPPER = ['(function (exports, require, module, __filename) { ', '\n})'];

/**
 * How long a string has to be for V8 to leave it where it is: each collection copies what is shorter. So a text that is nearly as long takes
 * less memory with blanks.
 */
const LARGE = 131_072;
const WORTH_BLANKS = 0.7 * LARGE;

/** How long a text of this length is when it is wrapped. */
function wrappedLength(length) {
  const least = WRAPPER[0].length + length + WRAPPER[1].length;
  return least > WORTH_BLANKS ? Math.max(least, LARGE) : least;
}

const wrap = (text) =>
  (WRAPPER[0] + text).padEnd(wrappedLength(text.length) - WRAPPER[1].length) + WRAPPER[1];

/** The script of a part's wrapped text; `cachedDataRejected` of it says whether `cachedData` was of use. */
function compilePart(filename, wrapped, cachedData) {
  return new Script(wrapped, { filename, columnOffset: -WRAPPER[0].length, cachedData });
}

/** Runs the script of a part once, in `module`, and gives what it exports. */
function runPart(script, filename, require, module) {
  script.runInThisContext()(module.exports, require, module, filename);
  return module.exports;
}

/** What tells a program of node from others: those of one version differ too. */
function nodeIdentity() {
  return [process.version, process.arch, fileIdentity(process.execPath)].join(' ');
}

/** What tells a file from one that has come in its place. */
function fileIdentity(path) {
  const { size, mtimeMs } = statSync(path);
  return `${size} ${Math.floor(mtimeMs / 1000)}`;
}

/** A number that is another one where a sector is another one. */
function sumOf(data) {
  const words = new Int32Array(data.buffer, data.byteOffset, data.length >> 2);
  let sum = data.length;
  for (let at = 0; at < words.length; at += SECTOR / 4) sum = (Math.imul(sum, 31) + words[at]) | 0;
  return sum;
}

function readHeader(fd) {
  const { uid, mode, size } = fstatSync(fd);
  const isOwn = uid === 0 || uid === lstatSync(__filename).uid;
  if (!isOwn || (mode & WRITABLE_BY_OTHERS) !== 0) return undefined;
  const block = Buffer.allocUnsafeSlow(BLOCK);
  const read = readSync(fd, block, 0, BLOCK, 0);
  const start = 4 + block.readUInt32LE(0);
  if (start > read) return undefined;
  const header = JSON.parse(block.latin1Slice(4, start));
  const fits = start + header.size === size && header.node === nodeIdentity();
  return fits ? { ...header, start, block } : undefined;
}

/** What is kept of the parts of a folder; undefined if nothing can be used. */
function openKept(dist) {
  let fd;
  let header;
  try {
    fd = openSync(join(dist, KEPT), constants.O_RDONLY | constants.O_NOFOLLOW);
    header = readHeader(fd);
  } catch {}
  if (header) return new Kept(fd, header);
  if (fd !== undefined) closeSync(fd);
  return undefined;
}

/**
 * All parts are read to the same memory, and the text of each is wrapped there: for the kernel to find new memory may take longer than to
 * read what is put into it.
 */
class Kept {
  #fd;
  #header;
  #memory;

  constructor(fd, header) {
    this.#fd = fd;
    this.#header = header;
    const { text, data } = header.longest;
    this.#memory = Buffer.allocUnsafeSlow(Math.max(wrappedLength(text), data));
  }

  /** The script of a part that has the text that it had then. */
  compile(filename, part) {
    const { parts, start } = this.#header;
    if (!Object.hasOwn(parts, part)) return undefined;
    const { textAt, textSize, dataAt, dataSize, sum } = parts[part];
    const wrapped = this.#readText(filename, textSize, start + textAt);
    if (wrapped === undefined) return undefined;
    const data = this.#memory.subarray(0, dataSize);
    const read = readSync(this.#fd, data, 0, dataSize, start + dataAt);
    if (read !== dataSize || sumOf(data) !== sum) return undefined;
    return compilePart(filename, wrapped, data);
  }

  /** koffi, by the addon that it had found itself; to look for it takes three times as long as to load it. */
  loadAddon() {
    const { addon } = this.#header;
    try {
      const path = join(__dirname, addon.path);
      if (fileIdentity(path) !== addon.identity) return undefined;
      const module = { exports: {} };
      process.dlopen(module, path);
      return module.exports;
    } catch {
      return undefined;
    }
  }

  /** The text of a file, wrapped, if it is what lies at a place of what is kept. */
  #readText(filename, size, place) {
    const text = this.#memory;
    const from = WRAPPER[0].length;
    const file = openSync(filename);
    // A byte more, if it is longer.
    const length = readSync(file, text, from, size + 1, 0);
    closeSync(file);
    if (length !== size) return undefined;
    const { block } = this.#header;
    for (let at = 0; at < size; at += BLOCK) {
      const most = Math.min(BLOCK, size - at);
      const read = readSync(this.#fd, block, 0, most, place + at);
      if (read !== most || text.compare(block, 0, most, from + at, from + at + most) !== 0)
        return undefined;
    }
    const end = wrappedLength(size);
    text.latin1Write(WRAPPER[0]);
    text.fill(' ', from + size, end);
    text.latin1Write(WRAPPER[1], end - WRAPPER[1].length);
    // What is kept is ASCII.
    return text.latin1Slice(0, end);
  }
}

/** `require` of the parts of a folder. */
function requireKept(dist, kept) {
  const loaded = new Map();
  return function requirePart(name) {
    if (name === 'node:module') return { createRequire: () => requirePart };
    if (name === 'koffi') return kept.loadAddon() ?? require(name);
    if (!name.startsWith('./')) return require(name);
    const found = loaded.get(name);
    if (found) return found.exports;
    const filename = join(dist, name);
    const script =
      kept.compile(filename, name.slice(2)) ??
      compilePart(filename, wrap(readFileSync(filename, 'utf8')));
    const module = { exports: {} };
    loaded.set(name, module);
    return runPart(script, filename, requirePart, module);
  };
}

/** Runs the command of these words. */
function start(words) {
  const kept = openKept(DIST);
  // By no name that a bundler of this file would follow.
  const main = kept ? requireKept(DIST, kept)('./main.cjs') : require(join(DIST, 'main.cjs'));
  return main.runProgram(words);
}

module.exports = {
  BLOCK,
  KEPT,
  compilePart,
  fileIdentity,
  nodeIdentity,
  runPart,
  start,
  sumOf,
  wrap,
};
