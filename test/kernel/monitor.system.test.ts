/** Where `monitor` puts what real calls have come to: a table on a terminal, a log of the machine. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { readEvents } from '@sockfilter/policy';
import { ended, program, Workplace } from '../cli/command.js';
import type { Caller } from '../harness/caller.js';
import { describeKernel } from '../harness/kernel.js';
import { describeProgram } from '../harness/needing.js';
import { Policy } from '../harness/policy.js';
import { Testbed } from '../harness/testbed.js';

const SINK = require.resolve('./processes/logsink.js');

const JOURNALD = '/lib/systemd/systemd-journald';

describeKernel('monitor', () => {
  let bed: Testbed;
  let policy: Policy;
  let place: Workplace;
  let web: Caller;
  beforeAll(async () => {
    bed = await Testbed.create();
    policy = new Policy(bed.cgroups.path);
    place = new Workplace({ SOCKFILTER_ROOT: bed.cgroups.path });
    policy.enforce(`-G web --id 3 --path ${bed.cgroups.path}/web
      -A CONNECT -d 10.9.9.9 -j REJECT --reject-with EACCES -m comment --comment "a \\\\\\\\ b"
      -A CONNECT -p udp -d 10.9.9.6 -j DNAT --to-destination 10.9.9.8
      -A CONNECT -d 10.9.9.8 -j DROP`);
    web = await bed.caller('web');
  });
  afterAll(async () => {
    policy?.teardown();
    await bed?.close();
    place?.remove();
  });

  const connect = async (address: string) => {
    const fd = await web.socket('inet', 'dgram');
    const outcome = await web.connect(fd, { address, port: 80 });
    await web.close(fd);
    return outcome;
  };

  /** What a child has printed, until something is in it; calls go on meanwhile. */
  async function until(child: ChildProcess, has: (said: string) => boolean): Promise<string> {
    let said = '';
    child.stdout?.on('data', (piece) => {
      said += piece;
    });
    for (let n = 0; n < 300 && !has(said); n++) {
      await connect('10.9.9.9');
      await connect('10.9.9.8');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return said;
  }

  const readersOf = async () => {
    const { EventSource } = await import('@sockfilter/kernel');
    const source = EventSource.open(policy.root);
    if (!source) throw new Error('nothing is installed');
    const { slot } = source.slot;
    source.slot.close();
    source.close();
    return slot;
  };

  /** Until a reader is told of calls. */
  async function announced() {
    const readers = () =>
      policy.status()?.limits?.find(({ resource }) => resource === 'readers')?.used;
    for (let n = 0; n < 3000 && readers() !== 1; n++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(readers()).toBe(1);
  }

  test('no more than so many at a time are told one by one, and the others are counted', async () => {
    const child = place.start(['monitor', '--json', '--refused', '--rate', '3/hour']);
    const done = ended(child);
    await announced();
    for (let n = 0; n < 10; n++) await connect('10.9.9.8');
    await new Promise((resolve) => setTimeout(resolve, 1500));
    for (let n = 0; n < 10; n++) await connect('10.9.9.8');
    child.kill('SIGINT');
    const { stdout } = await done;
    const { events, faults } = await readEvents(stdout);
    expect(faults).toEqual([]);
    const kinds = events.map(({ kind }) => kind);
    expect(kinds.slice(0, 3)).toEqual(['refused', 'refused', 'refused']);
    // They are told each second, and at the end.
    expect(kinds.length).toBeGreaterThan(4);
    const skipped = events.slice(3).map((event) => (event.kind === 'skipped' ? event.count : 0));
    expect(skipped).not.toContain(0);
    expect(skipped.reduce((sum, count) => sum + count)).toBe(17);
  });

  test('equal events are a row, and the table is printed once where no terminal is', async () => {
    const child = place.start(['monitor', '--summary', '--refused']);
    const done = ended(child);
    await announced();
    for (const host of [9, 8, 6, 9, 7, 8, 9]) await connect(`10.9.9.${host}`);
    child.kill('SIGINT');
    const { status, stdout, stderr } = await done;
    expect([status, stderr]).toEqual([0, '']);
    const row = (count: number, errno: string, address: string, rule: number) =>
      expect.stringMatching(
        new RegExp(
          `^${count} +\\d\\d:\\d\\d:\\d\\d  refused ${errno} +CONNECT  web \\(3\\)  \\S+ +udp ${address}:80  rule ${rule} of CONNECT$`,
        ),
      );
    expect(stdout.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^COUNT +LAST +WHAT +CHAIN +GROUP +PROGRAM +CALL +RULE$/),
      row(3, 'EACCES', '10.9.9.9', 1),
      row(2, 'EPERM', '10.9.9.8', 3),
      // What was asked for, though the rule is of what DNAT has made of it.
      row(1, 'EPERM', '10.9.9.6', 3),
    ]);
  });

  test('on a terminal it is drawn as it changes, keys sort it and end it', async () => {
    const words = `stty rows 12 cols 90; exec node ${program('sockfilter')} monitor --summary`;
    const child = spawn('script', ['-qec', words, '/dev/null'], {
      env: {
        ...process.env,
        SOCKFILTER_ROOT: policy.root,
        SOCKFILTER_STATE_DIR: place.path('state'),
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const gone = new Promise((resolve) => child.on('exit', resolve));
    const first = await until(child, (said) => /refused EPERM/.test(said));
    expect(first).toContain('\x1b[?1049h');
    expect(first).toMatch(/\d+ events, by count; c count, t last/);
    child.stdin.write('d');
    const sorted = await until(child, (said) => /by destination/.test(said));
    expect(sorted.lastIndexOf('10.9.9.8:80')).toBeLessThan(sorted.lastIndexOf('10.9.9.9:80'));
    child.stdin.write('q');
    const last = await until(child, (said) => said.includes('\x1b[?1049l'));
    expect(last).toContain('\x1b[?25h\x1b[?1049l');
    expect(await gone).toBe(0);
    expect(await readersOf()).toBe(0);
  });

  /**
   * What the log of a mount namespace has, line by line: `logger` makes its socket, and prints what comes. Until `has`.
   */
  async function logged(logger: string, socket: string, has: (said: string) => boolean) {
    const folder = place.path(socket.replaceAll('/', '-'));
    for (const name of ['run/systemd/journal', 'dev'])
      mkdirSync(join(folder, name), { recursive: true });
    const script = `set -e
      for name in null zero urandom; do touch dev/$name; mount --bind /dev/$name dev/$name; done
      mount --rbind dev /dev
      mount --bind run /run
      trap 'kill $(jobs -p) 2>/dev/null' EXIT
      ${logger}
      node ${program('sockfilter')} monitor --journal --refused`;
    const child = spawn('unshare', ['-m', 'bash', '-c', script], {
      cwd: folder,
      env: { ...process.env, SOCKFILTER_ROOT: policy.root, SOCKFILTER_STATE_DIR: folder },
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    const gone = new Promise((resolve) => child.on('exit', resolve));
    const said = await until(child, has);
    process.kill(-Number(child.pid), 'SIGINT');
    await gone;
    return said.trim().split('\n');
  }

  const MESSAGE =
    /refused EACCES, CONNECT udp 0\.0\.0\.0:0 -> 10\.9\.9\.9:80, \S+\[\d+\] uid 0 group web \(3\), rule 1 of CONNECT: -A/;

  test('syslog gets what was refused', async () => {
    const logger = `node ${SINK} /dev/log & while ! [ -S /dev/log ]; do sleep 0.05; done`;
    const lines = await logged(logger, '/dev/log', (said) => /\S\n/.test(said));
    const entry = Buffer.from(lines[0] ?? '', 'base64').toString();
    expect(entry).toMatch(/^<28>sockfilter\[\d+\]: refused EACCES/);
    expect(entry).toMatch(MESSAGE);
  });

  describeProgram('journalctl', 'journald', () => {
    test('gets what was refused, with its fields', async () => {
      const socket = '/run/systemd/journal/socket';
      const logger = `${JOURNALD} >/dev/null 2>&1 & while ! [ -S ${socket} ]; do sleep 0.05; done
        journalctl --follow --lines=all --output=json SOCKFILTER_DESTINATION=10.9.9.9:80 &`;
      const [line = ''] = await logged(logger, socket, (said) => said.includes('\n'));
      expect(JSON.parse(line)).toMatchObject({
        MESSAGE: expect.stringMatching(MESSAGE),
        PRIORITY: '4',
        SYSLOG_IDENTIFIER: 'sockfilter',
        ERRNO: '13',
        OBJECT_PID: expect.stringMatching(/^\d+$/),
        SOCKFILTER_KIND: 'refused',
        SOCKFILTER_GROUP: 'web',
        SOCKFILTER_RULE: '1',
        SOCKFILTER_RULE_TEXT: expect.stringContaining(String.raw`"a \\\\ b"`),
        SOCKFILTER_CGROUP: `${bed.cgroups.path}/web`,
      });
    });
  });

  test.each([
    ['--json', '--summary'],
    ['--journal', '--summary'],
  ])('%s and %s exclude each other', (...words) => {
    const { stderr } = place.expectStatus(['monitor', ...words], 2);
    expect(stderr).toContain('exclude each other');
  });
});
