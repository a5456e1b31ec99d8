/** Commands beside each other: who waits for whom, and who never does. */
import { once } from 'node:events';
import { Firewall } from '@sockfilter/kernel';
import { CgroupTree } from '../harness/cgroups.js';
import { describeKernel } from '../harness/kernel.js';
import { tableOf } from '../harness/policy.js';
import { ended, Workplace } from './command.js';

describeKernel('commands beside each other', () => {
  let cgroups: CgroupTree;
  let place: Workplace;
  beforeAll(async () => {
    cgroups = await CgroupTree.create();
    place = new Workplace({ SOCKFILTER_ROOT: cgroups.path });
  });
  beforeEach(() => {
    place.expectStatus(['restore'], 0, { input: '*socket\nCOMMIT\n' });
  });
  afterAll(async () => {
    place?.run(['teardown']);
    await cgroups?.remove();
    place?.remove();
  });

  const run = (line: string) => place.expectStatus(line.split(' '), 0).stdout;

  test('the lock: exit 4 at once, or after a wait, or never', async () => {
    const holder = Firewall.open({ root: cgroups.path, wait: 0, parse: tableOf });
    let waiting: Promise<unknown>;
    try {
      const { stderr } = place.expectStatus(['-A', 'BIND', '-j', 'DROP'], 4);
      expect(stderr).toContain('Another sockfilter command is running');
      const before = Date.now();
      place.expectStatus(['-S', '-w', '1'], 4);
      expect(Date.now() - before).toBeGreaterThanOrEqual(1000);
      waiting = ended(place.start(['-w', '-A', 'BIND', '-j', 'DROP']));
      await new Promise((resolve) => setTimeout(resolve, 300));
    } finally {
      holder.close();
    }
    expect(await waiting).toMatchObject({ status: 0 });
    expect(run('-S BIND')).toContain('-A BIND -j DROP\n');
  });

  test('who reads keeps nobody from reading, and lets a change wait instead of failing', async () => {
    const reader = Firewall.open({ root: cgroups.path, wait: 0, readOnly: true, parse: tableOf });
    let changed: Promise<unknown>;
    try {
      for (const words of ['-S', '-L', 'save', 'status', 'metrics', 'group list', 'set list'])
        run(words);
      changed = ended(place.start(['-A', 'BIND', '-j', 'DROP']));
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(run('-S BIND')).toBe('-P BIND ACCEPT\n');
      const change = () => reader.commit({ table: tableOf(''), text: '', origins: [] });
      expect(change).toThrow('open to be read');
      expect(() => reader.teardown()).toThrow('open to be read');
    } finally {
      reader.close();
    }
    expect(await changed).toMatchObject({ status: 0 });
    expect(run('-S BIND')).toContain('-A BIND -j DROP\n');
  });

  test('who does not read what we print keeps no lock', async () => {
    // More than pipes and sockets hold.
    const rules = Array.from(
      { length: 3000 },
      (_, n) => `-A BIND -m comment --comment ${'x'.repeat(200)} -p tcp --dport ${n + 1} -j DROP`,
    );
    place.write('many.rules', `*socket\n${rules.join('\n')}\nCOMMIT\n`);
    run('restore many.rules');
    const unread = place.start(['-S']);
    try {
      await once(unread.stdout ?? unread, 'readable');
      run('-A CONNECT -j DROP');
    } finally {
      unread.kill('SIGKILL');
    }
  });

  test('administrators who edit at once lose nothing', async () => {
    const ports = Array.from({ length: 8 }, (_, at) => String(8000 + at));
    const all = await Promise.all(
      ports.map((port) => ended(place.start(`-w -A BIND -p tcp --dport ${port}`.split(' ')))),
    );
    expect(all.map(({ stderr }) => stderr)).toEqual(ports.map(() => ''));
    const kept = [...run('-S BIND').matchAll(/--dport (\d+)/g)].map(([, port]) => port);
    expect(kept.toSorted()).toEqual(ports);
  });
});
