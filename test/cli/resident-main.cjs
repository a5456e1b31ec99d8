/**
 * Runs the built command over and over in one process, as resident.ts asks for it: each run loads the
 * modules anew and has arguments, environment, folder and descriptors 0 to 2 of its own, as a process
 * would. A request is a line of JSON in base64, and its answer one of JSON; or it is the number of a process
 * that stands for the command (its arguments, environment, folder and descriptors are to be had from the kernel),
 * and the answer, the exit status, goes to that.
 */
const {
  closeSync,
  constants,
  openSync,
  readFileSync,
  readlinkSync,
  readSync,
  writeSync,
} = require('node:fs');
const { createRequire, wrap } = require('node:module');
const { dirname } = require('node:path');
const { Script } = require('node:vm');
const koffi = require('koffi');

const [, , program, requests, answers, statuses] = process.argv;
const dup2 = koffi.load('libc.so.6').func('int dup2(int, int)');
const input = openSync(requests, 'r');
const output = openSync(answers, 'w');
// Opened for both ways, so that opening waits for nobody.
const toStandIns = openSync(statuses, 'r+');
const MODE = constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC;
const NOWHERE = ['/dev/null', '/dev/null', '/dev/null'];

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

function redirect(files, mode) {
  files.forEach((file, descriptor) => {
    const opened = openSync(file, descriptor === 0 ? 'r' : mode, 0o600);
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

async function serve({ args, cwd, env, files, mode = MODE }) {
  redirect(files, mode);
  process.chdir(cwd);
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  process.argv = [process.execPath, program, ...args];
  process.exitCode = undefined;
  await load().main(args);
  const status = process.exitCode ?? 0;
  process.exitCode = undefined;
  // Who reads what was written waits for the last writer to close it.
  redirect(NOWHERE, constants.O_RDWR);
  return status;
}

/** What the process with the number was started with: a shell that runs a script in the command's stead, its descriptors copied to 7 to 9. */
function standIn(pid) {
  const [, , ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').slice(0, -1);
  const env = Object.fromEntries(
    variables.map((each) => [each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)]),
  );
  const files = [7, 8, 9].map((descriptor) => `/proc/${pid}/fd/${descriptor}`);
  const mode = constants.O_WRONLY | constants.O_APPEND;
  return { args, cwd: readlinkSync(`/proc/${pid}/cwd`), env, files, mode };
}

async function main() {
  for (let line = nextLine(); line !== undefined; line = nextLine()) {
    if (/^\d+$/.test(line)) {
      writeSync(toStandIns, `${await serve(standIn(line))}\n`);
      continue;
    }
    const request = JSON.parse(Buffer.from(line, 'base64').toString());
    writeSync(output, `${JSON.stringify({ status: await serve(request) })}\n`);
  }
}

main();
