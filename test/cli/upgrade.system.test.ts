/**
 * The package of another release, as `npm pack` makes it, has rules in force; this one's commands look at them and take
 * over, under calls all the while. SOCKFILTER_BEFORE is the tarball of a release; without it the package is packed
 * from these sources with the layout of an older format.
 */
import { type ExecFileSyncOptionsWithStringEncoding, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FORMAT } from '../../packages/kernel/src/layout.js';
import { describeKernel } from '../harness/kernel.js';
import { Testbed } from '../harness/testbed.js';
import { callsIn, endProcesses, Hammer } from '../kernel/processes/process.js';
import { type Ended, Workplace } from './command.js';

const ROOT = join(__dirname, '../..');
const PORTS = [7001, 7002, 7003];

/** What an older format had elsewhere. */
const OLDER = [
  [`export const FORMAT = ${FORMAT};`, `export const FORMAT = ${FORMAT - 1};`],
  ['HEADER_BYTES = 256', 'HEADER_BYTES = 512'],
  ['entries: 28,', 'entries: 400,'],
  ['less: 0,', 'less: 1,'],
  ['unequal: 1,', 'unequal: 0,'],
] as const;

/** Packs the command as it was before, and gives the tarball. */
function packOlder(folder: string): string {
  const sources = join(folder, 'sources');
  const isSource = (path: string) => !/\/(dist|node_modules)$/.test(path);
  cpSync(join(ROOT, 'packages'), join(sources, 'packages'), { recursive: true, filter: isSource });
  symlinkSync(join(ROOT, 'node_modules'), join(sources, 'node_modules'));
  cpSync(join(ROOT, 'tsconfig.base.json'), join(sources, 'tsconfig.base.json'));
  const layout = join(sources, 'packages/kernel/src/layout.ts');
  let text = readFileSync(layout, 'utf8');
  for (const [from, to] of OLDER) {
    if (!text.includes(from)) throw new Error(`${layout} has no \`${from}\``);
    text = text.replace(from, to);
  }
  writeFileSync(layout, text);
  const cwd = join(sources, 'packages/cli');
  const options: ExecFileSyncOptionsWithStringEncoding = { cwd, encoding: 'utf8' };
  execFileSync(process.execPath, ['bundle.js'], options);
  const quiet = ['--ignore-scripts', '--no-update-notifier', '--silent'];
  const name = execFileSync('npm', ['pack', ...quiet, '--pack-destination', folder], options);
  return join(folder, name.trim());
}

describeKernel('the release before, as a package', () => {
  let bed: Testbed;
  let place: Workplace;
  let hammer: Hammer;
  let before: string;
  beforeAll(async () => {
    bed = await Testbed.create();
    place = new Workplace({ SOCKFILTER_ROOT: bed.cgroups.path });
    mkdirSync(place.path('before'));
    const tarball = process.env.SOCKFILTER_BEFORE ?? packOlder(place.folder);
    execFileSync('tar', ['-xzf', tarball, '-C', place.path('before')]);
    symlinkSync(join(ROOT, 'node_modules'), place.path('before/node_modules'));
    before = place.path('before/package/bin/sockfilter.cjs');
    hammer = await Hammer.start(
      bed.cgroups.child('web'),
      bed.network.path,
      PORTS.map((port) => ({ call: 'connect', address: '127.0.0.1', port })),
    );
  });
  afterAll(async () => {
    await endProcesses();
    place?.runAlone(['teardown']);
    place?.remove();
    await bed?.close();
  });

  const runBefore = (...args: readonly string[]): Ended => place.runProgram(before, args);

  test('its rules are seen, taken over with no call unjudged, and not given back', async () => {
    place.write(
      'rules',
      `*socket
-G web --id 3 --path ${bed.cgroups.childPath('web')}
create lasting net
add lasting 10.0.0.0/8
create passing ip timeout 600
add passing 10.9.0.1 timeout 0
add passing 10.9.0.2
-A CONNECT -p udp -m cgroup --id 3 --dport 7001 -j REJECT --reject-with EACCES
-A CONNECT -p udp -m cgroup --id 3 --dport 7003 -j DROP
COMMIT
`,
    );
    expect(runBefore('restore', 'rules')).toEqual({ status: 0, stdout: '', stderr: '' });
    const restored = runBefore('save').stdout;
    await hammer.run();

    const status = place.expectStatus(['status'], 0).stdout;
    expect(status).toMatch(/^release +an older one; .*\(format \d+\)$/m);
    expect(status).not.toContain('NOT ATTACHED');
    expect(JSON.parse(place.expectStatus(['status', '--json'], 0).stdout)).toMatchObject({
      installed: true,
      release: 'older',
      rules: 2,
    });
    const rulesOf = (saved: string) => saved.split('\n').filter((line) => /^-[AG]/.test(line));
    const setsOf = (saved: string) =>
      saved
        .split('\n')
        .filter((line) => /^(create|add)/.test(line))
        .map((line) => line.replace(/^(add .*timeout )[1-9]\d*/, '$1some'));
    expect(setsOf(restored)).toHaveLength(5);
    expect(setsOf(place.expectStatus(['save'], 0).stdout)).toEqual(setsOf(restored));
    expect(rulesOf(place.expectStatus(['save'], 0).stdout)).toEqual(rulesOf(restored));
    // To look has changed nothing.
    const lasting = (saved: string) => saved.replace(/\[.*|#.*|timeout [1-9]\d*$/gm, '');
    expect(lasting(runBefore('save').stdout)).toBe(lasting(restored));

    const take = ['-A', 'CONNECT', '-p', 'udp', '--dport', '7002', '-j', 'DROP'];
    place.expectStatus(take, 0);
    const [one = {}, , three = {}, ...others] = await hammer.pause();
    expect([Object.keys(one), Object.keys(three), others]).toEqual([['13'], ['1'], []]);
    expect(place.expectStatus(['status'], 0).stdout).not.toMatch(/^release/m);
    expect(setsOf(place.expectStatus(['save'], 0).stdout)).toEqual(setsOf(restored));

    const tally = await hammer.pause();
    const counters = place.expectStatus(['save', '-c'], 0).stdout;
    const counts = [...counters.matchAll(/^\[(\d+):0\] -A CONNECT/gm)].map(([, n]) => Number(n));
    const policy = Number(/^:CONNECT ACCEPT \[(\d+):0\]$/m.exec(counters)?.[1]);
    expect([...counts, policy].reduce((sum, n) => sum + n, 0)).toBe(callsIn(tally));
    expect(counts.slice(0, 2)).toEqual([callsIn([one]), callsIn([three])]);

    const { status: refused, stderr } = runBefore('-A', 'BIND', '-j', 'DROP');
    expect([refused, stderr]).toEqual([4, expect.stringContaining('help:')]);
    expect(place.expectStatus(['-S', 'CONNECT'], 0).stdout).toContain('--dport 7002 -j DROP');
  });
});
