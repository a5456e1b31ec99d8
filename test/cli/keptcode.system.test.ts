/** What V8 has compiled of the command is used where it fits, and passed by in silence where it does not. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PACKAGE = join(__dirname, '../../packages/cli');
const RULES = '*socket\n-A BIND -d 10.0.0.5 -j DROP\nCOMMIT\n';
/**
 * Tells how many scripts node was given compiled, and how many of these it has refused; how often it was asked for koffi, and how
 * many addons it has loaded.
 */
const SPY = `
  const vm = require('node:vm');
  const counts = { offered: 0, refused: 0, asked: 0, addons: 0 };
  vm.Script = class extends vm.Script {
    constructor(text, options) {
      super(text, options);
      if (options.cachedData) counts.offered++;
      if (this.cachedDataRejected) counts.refused++;
    }
  };
  const loader = require('node:module');
  const { _load } = loader;
  loader._load = (name, ...rest) => {
    if (name === 'koffi') counts.asked++;
    return _load(name, ...rest);
  };
  const { dlopen } = process;
  process.dlopen = (...words) => {
    counts.addons++;
    return dlopen.apply(process, words);
  };
  process.on('exit', () => process._rawDebug('counts ' + JSON.stringify(counts)));
`;

let folder: string;
let compiled: string;

const isNeeded = (path: string) => !/dist\/(types|man|completion)$/.test(path);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sockfilter-kept-'));
  for (const name of ['bin', 'dist', 'start', 'package.json'])
    cpSync(join(PACKAGE, name), join(folder, name), { recursive: true, filter: isNeeded });
  writeFileSync(join(folder, 'spy.cjs'), SPY);
  writeFileSync(join(folder, 'own.rules'), RULES);
  compiled = join(folder, 'dist/compiled');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Koffi = 'asked' | 'addons';

function runTold(words: string, flags: readonly string[] = []) {
  const given = [...flags, '-r', './spy.cjs', 'bin/sockfilter.cjs', ...words.split(' ')];
  const env = { ...process.env, NODE_OPTIONS: '', SOCKFILTER_DEBUG: '1' };
  const result = spawnSync(process.execPath, given, { cwd: folder, encoding: 'utf8', env });
  const [, counts = ''] = /^counts (.*)$/m.exec(result.stderr) ?? [];
  const { offered, refused, asked, addons }: Record<'offered' | 'refused' | Koffi, number> =
    JSON.parse(counts);
  const { status, stdout } = result;
  const stderr = result.stderr.replace(/^counts .*\n/m, '');
  return { result: { status, stdout, stderr, offered, refused }, koffi: { asked, addons } };
}

const run = (words: string, flags?: readonly string[]) => runTold(words, flags).result;

const LIST = '--file own.rules -S';
const LISTED = expect.stringContaining('-A BIND -d 10.0.0.5/32 -j DROP\n');

interface Place {
  readonly dataAt: number;
  readonly textAt: number;
}

/** Where the parts lie in what is kept. */
function placesOf(bytes: Buffer): ReadonlyMap<string, Place> {
  const start = 4 + bytes.readUInt32LE(0);
  const { parts }: { readonly parts: Readonly<Record<string, Place>> } = JSON.parse(
    bytes.toString('latin1', 4, start),
  );
  return new Map(
    Object.entries(parts).map(([name, { dataAt, textAt }]) => [
      name,
      { dataAt: start + dataAt, textAt: start + textAt },
    ]),
  );
}

test.each([LIST, '--file own.rules save', 'check own.rules', 'restore --test own.rules'])(
  '%s is started with what is kept, all of which V8 takes',
  (words) => {
    const { status, offered, refused } = run(words);
    expect({ status, refused }).toEqual({ status: 0, refused: 0 });
    expect(offered).toBeGreaterThan(15);
  },
);

test.each<readonly [string, () => void]>([
  ['is missing', () => rmSync(compiled)],
  ['is empty', () => truncateSync(compiled, 0)],
  ['is cut within the header', () => truncateSync(compiled, 1000)],
  ['is cut', () => truncateSync(compiled, 1_000_000)],
  ['is no header', () => writeFileSync(compiled, Buffer.alloc(100_000))],
  ['can be written by a group', () => chmodSync(compiled, 0o664)],
  ['can be written by all', () => chmodSync(compiled, 0o646)],
  [
    'is of another node',
    () => {
      const bytes = readFileSync(compiled, 'latin1').replace(process.version, 'v00.00.0');
      writeFileSync(compiled, bytes.slice(0, readFileSync(compiled).length), 'latin1');
    },
  ],
  [
    'is a link',
    () => {
      renameSync(compiled, join(folder, 'elsewhere'));
      symlinkSync(join(folder, 'elsewhere'), compiled);
    },
  ],
])('what is kept %s: the code is compiled', (_, damage) => {
  damage();
  expect(run(LIST)).toEqual({ status: 0, stdout: LISTED, stderr: '', offered: 0, refused: 0 });
});

const asRoot = process.getuid?.() === 0 ? test : test.skip;

asRoot('what belongs to another than the code is not taken, but of root', () => {
  chownSync(compiled, 65534, 65534);
  expect(run(LIST).offered).toBe(0);
  chownSync(join(folder, 'start/start.cjs'), 65534, 65534);
  expect(run(LIST).offered).toBeGreaterThan(15);
  chownSync(compiled, 0, 0);
  expect(run(LIST).offered).toBeGreaterThan(15);
});

asRoot('koffi is asked for only where its addon is not as it was, and does the same', () => {
  const koffi = join(folder, 'node_modules/koffi');
  const addons = join(folder, 'node_modules/@koromix');
  cpSync(join(PACKAGE, '../../node_modules/koffi'), koffi, { recursive: true });
  cpSync(join(PACKAGE, '../../node_modules/@koromix'), addons, { recursive: true });
  spawnSync(process.execPath, [join(folder, 'start/keep.cjs')]);
  const listing = `--root ${folder} -S`;
  const kept = runTold(listing);
  expect(kept.koffi).toEqual({ asked: 0, addons: 1 });
  for (const path of readdirSync(addons, { recursive: true, encoding: 'utf8' }))
    if (path.endsWith('.node')) utimesSync(join(addons, path), 1, 1);
  expect(runTold(listing)).toEqual({ ...kept, koffi: { asked: 1, addons: 1 } });
  rmSync(compiled);
  const { result, koffi: anew } = runTold(listing);
  expect(anew).toEqual({ asked: 1, addons: 1 });
  expect(result).toMatchObject({ status: kept.result.status, stdout: kept.result.stdout });
  expect(result.stderr.split('\n')[0]).toBe(kept.result.stderr.split('\n')[0]);
});

test('a part of which a page is lost is compiled', () => {
  const { offered } = run(LIST);
  const bytes = readFileSync(compiled);
  const at = placesOf(bytes).get('main.cjs')?.dataAt ?? 0;
  bytes.fill(0, at, at + 1024);
  writeFileSync(compiled, bytes);
  expect(run(LIST)).toMatchObject({ status: 0, stdout: LISTED, offered: offered - 1, refused: 0 });
});

test.each<readonly [string, string]>([
  ['of the same length', 'process["e"]()'],
  ['that is longer', 'process["exits"]()'],
  ['that is shorter', 'process.e()'],
])('a part with another text %s runs as it says', (_, call) => {
  const file = join(folder, 'dist/main.cjs');
  const edited = readFileSync(file, 'utf8').replace('process.exit()', call);
  expect(edited).toContain(call);
  const { offered } = run(LIST);
  writeFileSync(file, edited);
  const after = run(LIST);
  expect(after.offered).toBe(offered - 1);
  expect(after.stderr).toMatch(/process\.e(xits)? is not a function/);
});

test('with other flags V8 compiles the code', () => {
  const { offered, ...rest } = run(LIST, ['--stack-size=900']);
  expect(rest).toEqual({ status: 0, stdout: LISTED, stderr: '', refused: offered });
});

test('errors are traced to the same places', () => {
  const failing = '--file missing.rules -S';
  const kept = run(failing);
  rmSync(compiled);
  const anew = run(failing);
  const places = (text: string) => text.match(/dist\/[\w-]+\.cjs:\d+:\d+/g);
  expect(kept.offered).toBeGreaterThan(15);
  expect(places(kept.stderr)).not.toBeNull();
  expect(places(kept.stderr)).toEqual(places(anew.stderr));
});

test('to keep it never fails, and leaves nothing behind', () => {
  const keep = () => {
    const words = [join(folder, 'start/keep.cjs')];
    const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
    return { status, stdout, stderr };
  };
  const silent = { status: 0, stdout: '', stderr: '' };
  rmSync(compiled);
  expect(keep()).toEqual(silent);
  expect(run(LIST)).toMatchObject({ status: 0, stdout: LISTED, stderr: '', refused: 0 });
  rmSync(compiled);
  const before = readdirSync(join(folder, 'dist'));
  writeFileSync(join(folder, 'dist/main.cjs'), 'throw new Error("broken");\n');
  expect(keep()).toEqual(silent);
  expect(readdirSync(join(folder, 'dist'))).toEqual(before);
  rmSync(join(folder, 'dist'), { recursive: true });
  expect(keep()).toEqual(silent);
});
