/**
 * Where the single executable starts. The files of dist/ are inside of it, and V8's compiled form of them; koffi's
 * addon lies beside it, because the kernel maps libraries from files only, and a file that is unpacked at each start
 * would have to be made, checked and removed as root.
 */
const { lstatSync } = require('node:fs');
const { basename, dirname, join } = require('node:path');
const { getRawAsset } = require('node:sea');
const { compilePart, runPart } = require('../start/start.cjs');

const ADDON = 'koffi.node';
const WRITABLE_BY_OTHERS = 0o022;
/** The commands that have a name of their own, as links to this executable. */
const NAMED = { 'sockfilter-save': 'save', 'sockfilter-restore': 'restore' };

const builtin = require;
const folder = dirname(process.execPath);
const loaded = new Map();

/** Code that this process runs must belong to root or to whoever owns the executable. */
function loadAddon() {
  const file = join(folder, ADDON);
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (!found) throw new Error(`\`${file}\` is missing: it belongs beside the executable`);
  const isOwn = found.uid === 0 || found.uid === lstatSync(process.execPath).uid;
  if (!found.isFile() || !isOwn || (found.mode & WRITABLE_BY_OTHERS) !== 0)
    throw new Error(`\`${file}\` is no file that only the executable's owner can write`);
  const module = { exports: {} };
  process.dlopen(module, file);
  return module.exports;
}

function loadPart(name) {
  const asset = basename(name);
  const filename = join(folder, asset);
  // The bundle is ASCII, and wrapped.
  const text = Buffer.from(getRawAsset(asset)).latin1Slice();
  const script = compilePart(filename, text, Buffer.from(getRawAsset(`${asset}.cache`)));
  return runPart(script, filename, requireInside, { exports: {} });
}

/** What `require` is in here: no module comes from the file system but the addon. */
function requireInside(name) {
  if (name === 'node:module') return { createRequire: () => requireInside };
  if (name !== 'koffi' && !name.startsWith('./')) return builtin(name);
  if (!loaded.has(name)) loaded.set(name, name === 'koffi' ? loadAddon() : loadPart(name));
  return loaded.get(name);
}

const named = NAMED[basename(process.argv0)];
requireInside('./main.cjs').runProgram([...(named ? [named] : []), ...process.argv.slice(2)]);
