/** What commands leave behind is its owner's alone, and nobody leads root to write elsewhere. */
import {
  chmodSync,
  chownSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { CgroupTree } from '../harness/cgroups.js';
import { describeKernel } from '../harness/kernel.js';
import { program, Workplace } from './command.js';

const NOBODY = 65_534;
const OF_OTHERS = 0o077;

describeKernel('state files', () => {
  let tree: CgroupTree;
  let place: Workplace;
  beforeAll(async () => {
    tree = await CgroupTree.create();
    place = new Workplace({ SOCKFILTER_ROOT: tree.path });
  });
  afterAll(async () => {
    place?.runAlone(['teardown']);
    await CgroupTree.removeAll();
    place?.remove();
  });

  /** The command, by a careless shell. */
  const run = (line: string, state: string) =>
    place.shell(
      `umask 0; SOCKFILTER_STATE_DIR="${place.path(state)}" "${process.execPath}" "${program('sockfilter')}" ${line}`,
    );
  const escaped = () => tree.path.slice(1).replaceAll('-', '\\x2d');

  test('pins, locks, history and ids are for root alone, whatever the umask', () => {
    for (const line of ['group add web --path $SOCKFILTER_ROOT/web', '-A BIND -j ACCEPT'])
      expect(run(line, 'own')).toMatchObject({ status: 0 });
    const pins = join('/sys/fs/bpf/sockfilter', escaped());
    const below = (folder: string) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
    const paths = [
      pins,
      ...below(pins),
      place.path('own'),
      ...below(place.path('own')),
      `/run/sockfilter/${escaped()}.lock`,
    ];
    const open = paths.filter((path) => (lstatSync(path).mode & OF_OTHERS) !== 0);
    expect(open).toEqual([]);
    expect(paths.some((path) => path.endsWith('.rules'))).toBe(true);
    expect(paths.some((path) => path.endsWith('highest-id'))).toBe(true);
  });

  test('a link in the state folder is not followed, and the folder of others is none', () => {
    place.write('victim', '1\n');
    const folder = (name: string) => {
      mkdirSync(place.path(name), { mode: 0o700 });
      return place.path(name);
    };
    symlinkSync(place.path('victim'), join(folder('linked'), 'highest-id'));
    symlinkSync(folder('elsewhere'), place.path('linked/history'));
    chownSync(folder('foreign'), NOBODY, NOBODY);
    chmodSync(folder('writable'), 0o777);
    for (const state of ['linked', 'foreign', 'writable']) {
      const added = run('group add other --path $SOCKFILTER_ROOT/other', state);
      expect([state, added.status]).toEqual([state, 4]);
      const appended = run('-A BIND -j ACCEPT', state);
      expect([state, appended]).toMatchObject([state, { status: 0 }]);
      expect(appended.stderr).toContain('the commit is in force, but not in the history');
    }
    expect(readFileSync(place.path('victim'), 'utf8')).toBe('1\n');
    for (const name of ['elsewhere', 'foreign', 'writable'])
      expect(readdirSync(place.path(name))).toEqual([]);
  });

  test('a unit runs and restores what root alone may write', () => {
    const copied = place.path('copied');
    cpSync(join(__dirname, '../../packages/cli'), copied, {
      recursive: true,
      filter: (path) => !/\/(src|node_modules)$/.test(path),
    });
    place.write('rules', '*socket\nCOMMIT\n');
    /** In a mount namespace whose /etc is another, without systemctl. */
    const install = (words: string) =>
      place.shell(
        `unshare --mount sh -c 'mount -t tmpfs none /etc && PATH=/nowhere "$@"; echo "= $?"; ls -R /etc' sh "${process.execPath}" "${copied}/bin/sockfilter.cjs" install-service ${words}`,
      );
    const rules = `--fail closed --rules "${place.path('rules')}"`;
    const sound = install(rules).stdout;
    // No systemd is told of the other /etc.
    expect(sound).toContain('sockfilter.service');
    for (const [spoil, words, mend] of [
      [() => chownSync(copied, NOBODY, NOBODY), rules, () => chownSync(copied, 0, 0)],
      [
        () => chmodSync(join(copied, 'bin'), 0o777),
        '--journal',
        () => chmodSync(join(copied, 'bin'), 0o755),
      ],
      [
        () => chmodSync(place.path('rules'), 0o666),
        rules,
        () => chmodSync(place.path('rules'), 0o600),
      ],
    ] as const) {
      spoil();
      const { stdout, stderr } = install(words);
      expect(stdout).toMatch(/^= 1\n/);
      expect(stdout).not.toContain('sockfilter.service');
      expect(stderr).toMatch(/^sockfilter: the unit would (run|restore).*not only root may write/);
      mend();
    }
  });
});
