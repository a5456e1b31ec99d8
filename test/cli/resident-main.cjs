/**
 * Runs the built command over and over in one process, as resident.ts asks for it: each run loads the
 * modules anew and has arguments, environment, folder and descriptors 0 to 2 of its own, as a process
 * would. One request is a line of JSON, and so is its answer.
 */
const { closeSync, constants, openSync, readFileSync, readSync, writeSync } = require('node:fs');
const { createRequire, wrap } = require('node:module');
const { dirname } = require('node:path');
const { Script } = require('node:vm');
const koffi = require('koffi');

const [, , program, requests, answers] = process.argv;
const dup2 = koffi.load('libc.so.6').func('int dup2(int, int)');
const input = openSync(requests, 'r');
const output = openSync(answers, 'w');
const MODE = constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC;

/** What came after the last line. */
let rest = '';

/** The next line, or undefined where nobody asks any more. */
function nextLine() {
  const bytes = Buffer.alloc(1 << 16);
  for (;;) {
    const end = rest.indexOf('\n');
    if (end >= 0) {
      const line = rest.slice(0, end);
      rest = rest.slice(end + 1);
      return line;
    }
    const length = readSync(input, bytes);
    if (length === 0) return undefined;
    rest += bytes.toString('latin1', 0, length);
  }
}

function redirect(files) {
  files.forEach((file, descriptor) => {
    const opened = openSync(file, descriptor === 0 ? 'r' : MODE, 0o600);
    dup2(opened, descriptor);
    closeSync(opened);
  });
}

/** The code of the bundle's files: read and compiled once, run for each request. */
const scripts = new Map();

require.extensions['.cjs'] = (module, filename) => {
  let script = scripts.get(filename);
  if (!script) {
    script = new Script(wrap(readFileSync(filename, 'utf8')), { filename });
    scripts.set(filename, script);
  }
  const { exports } = module;
  const own = createRequire(filename);
  script.runInThisContext().call(exports, exports, own, module, filename, dirname(filename));
};

/** Loads the bundle as if it were for the first time. */
function load() {
  for (const name of Object.keys(require.cache))
    if (!name.includes('/koffi/')) delete require.cache[name];
  // Or each run's modules stay for ever.
  module.children.length = 0;
  return require(program);
}

async function serve({ args, cwd, env, files }) {
  redirect(files);
  process.chdir(cwd);
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  process.argv = [process.execPath, program, ...args];
  process.exitCode = undefined;
  await load().main(args);
  const status = process.exitCode ?? 0;
  process.exitCode = undefined;
  return status;
}

async function main() {
  for (let line = nextLine(); line !== undefined; line = nextLine()) {
    const request = JSON.parse(Buffer.from(line, 'base64').toString());
    writeSync(output, `${JSON.stringify({ status: await serve(request) })}\n`);
  }
}

main();
