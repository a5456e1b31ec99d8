/** Which capabilities commands ask for, measured, and what they say where one is missing. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CgroupTree } from '../harness/cgroups.js';
import { describeKernel } from '../harness/kernel.js';
import { forLength } from '../harness/length.js';
import { type Ended, program, Workplace } from './command.js';

const SECURITY = readFileSync(join(__dirname, '../../SECURITY.md'), 'utf8');

/** Rows of the table of capabilities in SECURITY.md. */
function documented(): readonly { readonly needs: readonly string[]; readonly lines: string[] }[] {
  return SECURITY.split('\n').flatMap((row) => {
    const [, capabilities, commands] = /^\| ([A-Z_, ]*|none) \| (.*) \|$/.exec(row) ?? [];
    if (capabilities === undefined || commands === undefined) return [];
    const needs = capabilities === 'none' ? [] : capabilities.split(', ');
    return [{ needs, lines: [...commands.matchAll(/`([^`]+)`/g)].map(([, line = '']) => line) }];
  });
}

/** Of util-linux. */
const SETPRIV = 'setpriv';

/** Of how many lines of a row one is run. */
const STRIDE = forLength({ long: 1, short: 3 });

const setprivName = (capability: string) => `+${capability.replace(/^CAP_/, '').toLowerCase()}`;

describeKernel('privileges', () => {
  let tree: CgroupTree;
  let place: Workplace;
  /** A process to move. */
  let sleeper: ChildProcess;
  beforeAll(async () => {
    tree = await CgroupTree.create();
    place = new Workplace({ SOCKFILTER_ROOT: tree.path });
    tree.child('web');
    place.write(
      'rules',
      `*socket\n-G web --id 3 --path ${tree.childPath('web')}\n-A BIND -p udp -j ACCEPT\nCOMMIT\n`,
    );
    sleeper = spawn('sleep', ['1000'], { stdio: 'ignore' });
  });
  afterAll(async () => {
    sleeper?.kill();
    place?.runAlone(['teardown']);
    await CgroupTree.removeAll();
    place?.remove();
  });

  /** Runs `sockfilter` as root with these capabilities alone. */
  function runWith(capabilities: readonly string[], line: string): Ended {
    const set = ['-all', ...capabilities.map(setprivName)].join();
    const words = line.split(' ').map((word) => (word === 'PID' ? `${sleeper.pid}` : word));
    const node = [process.execPath, program('sockfilter'), ...words];
    const { status, stdout, stderr } = spawnSync(
      SETPRIV,
      [`--bounding-set=${set}`, `--inh-caps=${set}`, ...node],
      {
        cwd: place.folder,
        env: {
          PATH: process.env.PATH,
          SOCKFILTER_ROOT: tree.path,
          SOCKFILTER_STATE_DIR: place.path('state'),
        },
        input: '',
        encoding: 'utf8',
      },
    );
    return { status, stdout, stderr };
  }

  const rows = documented();

  test('the table in SECURITY.md has commands of each kind', () => {
    expect(rows.map(({ needs }) => needs)).toEqual([
      [],
      ['CAP_SYS_ADMIN'],
      ['CAP_DAC_READ_SEARCH', 'CAP_SYS_ADMIN'],
    ]);
  });

  test.each(rows)('$lines ask for $needs and no less', ({ needs, lines }) => {
    const isFirst = needs.includes('CAP_DAC_READ_SEARCH');
    for (const [n, line] of lines.entries()) {
      if (n % STRIDE !== 0) continue;
      if (isFirst) place.expectStatus(['teardown'], 0);
      else {
        // The line before may have left a trial.
        place.run(['confirm']);
        place.expectStatus(['restore', 'rules'], 0);
      }
      for (const without of needs) {
        const { status, stderr } = runWith(
          needs.filter((each) => each !== without),
          line,
        );
        expect([line, status]).toEqual([line, 4]);
        expect(stderr).toMatch(/^sockfilter: \w+ of .+: EPERM$/m);
        expect(stderr).toMatch(/^ {2}help: .*(is|are) missing/m);
        expect(stderr).toContain(without === 'CAP_SYS_ADMIN' ? 'CAP_' : without);
        const isThere = place.expectStatus(['-S'], 0).stdout.includes('-A BIND');
        expect([line, without, isThere]).toEqual([line, without, !isFirst]);
      }
      expect([line, runWith(needs, line)]).toMatchObject([line, { status: 0 }]);
    }
  });

  test('doctor tells which it has not got', () => {
    const { status, stdout } = runWith(['CAP_SYS_ADMIN'], 'doctor');
    expect([status, stdout]).toEqual([1, expect.stringMatching(/^cgroup handles +FAILS /m)]);
    expect(stdout).toMatch(/^cgroup handles: .*CAP_DAC_READ_SEARCH/m);
    expect(runWith(['CAP_DAC_READ_SEARCH', 'CAP_SYS_ADMIN'], 'doctor').status).toBe(0);
  });

  test('what describes the kernel is damaged or missing: nothing changes, and the way out is said', () => {
    place.expectStatus(['teardown'], 0);
    const btf = '/sys/kernel/btf/vmlinux';
    place.write('short', readFileSync(btf).subarray(0, 5000).toString('latin1'));
    place.write('text', 'no BTF at all, but as long as its header\n');
    const command = `"${process.execPath}" "${program('sockfilter')}" -A BIND -j DROP`;
    const hidden = (prepare: string) => {
      const line = `mount --make-rprivate / && ${prepare} && exec ${command}`;
      return place.shell(`unshare --mount sh -c '${line}'`);
    };
    for (const name of ['short', 'text']) {
      const { status, stderr } = hidden(`mount --bind ${place.path(name)} ${btf}`);
      expect([status, stderr]).toEqual([4, expect.stringContaining(`sockfilter: ${btf}`)]);
      expect(stderr).toContain('CONFIG_DEBUG_INFO_BTF');
      expect(stderr).not.toContain('internal');
    }
    const { status, stderr } = hidden('mount -t tmpfs none /sys/kernel/btf');
    expect([status, stderr]).toEqual([4, expect.stringContaining('CONFIG_DEBUG_INFO_BTF')]);
    expect(place.expectStatus(['status'], 0).stdout).toContain('not installed');
  });
});
