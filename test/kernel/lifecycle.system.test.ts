/** From the first commit to the teardown: what stays, what goes, and what a refused command leaves. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AttachType,
  close,
  exit,
  hasBpfLsm,
  linkById,
  linkIds,
  linkInfo,
  linux,
  loadProgram,
  lookup,
  mapById,
  mapIds,
  mapInfo,
  movImm,
  openDirectory,
  openPinned,
  programById,
  queryCgroup,
  R0,
  update,
} from '@sockfilter/bpf';
import { printSave } from '@sockfilter/iptables';
import { CapacityError, EventSource, UnsupportedError } from '@sockfilter/kernel';
import { type Table, TableError } from '@sockfilter/table';
import type { Caller } from '../harness/caller.js';
import { describeKernel } from '../harness/kernel.js';
import { Policy, tableOf } from '../harness/policy.js';
import { Testbed } from '../harness/testbed.js';
import { Administrator, endProcesses } from './processes/process.js';

const PAGE_BYTES = 65_536;
const HOOKS = [
  'cgroup_mkdir',
  'cgroup_rmdir',
  'cgroup_release',
  'inet4_bind',
  'inet6_bind',
  'inet4_connect',
  'inet6_connect',
  'udp4_sendmsg',
  'udp6_sendmsg',
];

/** Those of a table in which CONNECT or SENDTO has work. */
const WITH_OPTIONS = [...HOOKS, 'setsockopt'];

describeKernel('lifecycle', () => {
  let bed: Testbed;
  let policy: Policy;
  let renewed: Policy;
  let caller: Caller;
  /** The directory of the policed control group, a child of the testbed's. */
  let root: string;
  beforeAll(async () => {
    bed = await Testbed.create();
    root = bed.cgroups.child('root');
    policy = new Policy(bed.cgroups.childPath('root'));
    caller = await bed.caller('root/in');
  });
  afterAll(async () => {
    await endProcesses();
    policy?.teardown();
    renewed?.teardown();
    await bed?.close();
  });

  const status = () => policy.status();
  const textInForce = () => policy.use((firewall) => firewall.read()?.text);
  const attached = () =>
    (status()?.hooks ?? []).filter((hook) => hook.attached).map(({ name }) => name);

  /** Ids of the programs that the kernel has attached at the root. */
  function programsAt(type: AttachType): readonly number[] {
    const cgroup = openDirectory(root);
    const ids = queryCgroup(cgroup, type);
    close(cgroup);
    return ids;
  }

  async function connect(port: number, from = caller): Promise<string> {
    const fd = await from.socket('inet', 'dgram');
    const outcome = await from.connect(fd, { address: '127.0.0.1', port });
    await from.close(fd);
    return outcome;
  }

  /** The folder of pins; something must be installed. */
  function pins(): string {
    const folder = status()?.pins;
    if (folder === undefined) throw new Error('nothing is installed');
    return folder;
  }

  /** Runs the body with what is pinned by the name. */
  function withPin<T>(name: string, body: (fd: number) => T): T {
    const fd = openPinned(join(pins(), name));
    if (fd === undefined) throw new Error(`no pin ${name}`);
    try {
      return body(fd);
    } finally {
      close(fd);
    }
  }

  /** Waits until the condition holds: the kernel frees what nothing refers to a moment later. */
  async function until(condition: () => boolean): Promise<boolean> {
    for (let tries = 0; tries < 100; tries++) {
      if (condition()) return true;
      await sleep(30);
    }
    return false;
  }

  test('is in force after its process has ended; taken down it leaves no trace', async () => {
    const one = await Administrator.start();
    const text = printSave(
      tableOf('-A CONNECT -p udp --dport 7001 -j REJECT --reject-with EACCES'),
    );
    await one.ask({ root: policy.root, do: 'replace', text });
    await one.kill();
    expect(await connect(7001)).toBe('EACCES');
    expect(attached()).toEqual(WITH_OPTIONS);

    const folder = pins();
    const programs = (status()?.hooks ?? []).flatMap(({ programId }) => programId ?? []);
    const maps = ['table', 'groups', 'removed', 'paths', 'shapes', 'scratch'].map((name) =>
      withPin(name, (fd) => mapInfo(fd).id),
    );
    const isThere = (open: (id: number) => number | undefined) => (id: number) => {
      const fd = open(id);
      if (fd !== undefined) close(fd);
      return fd !== undefined;
    };
    const programOf = (link: number) => {
      const fd = linkById(link);
      if (fd === undefined) return 0;
      const { programId } = linkInfo(fd);
      close(fd);
      return programId;
    };
    const links = () => [...linkIds()].filter((link) => programs.includes(programOf(link)));
    expect(links()).toHaveLength(WITH_OPTIONS.length);
    expect(programs.filter(isThere(programById))).toHaveLength(WITH_OPTIONS.length);
    expect(maps.filter(isThere(mapById))).toHaveLength(maps.length);

    policy.teardown();
    expect(await connect(7001)).toBe('ok');
    expect(existsSync(folder)).toBe(false);
    expect(status()).toBeUndefined();
    expect(textInForce()).toBeUndefined();
    expect(await until(() => links().length === 0)).toBe(true);
    expect(await until(() => !programs.some(isThere(programById)))).toBe(true);
    expect(await until(() => !maps.some(isThere(mapById)))).toBe(true);
    expect(readdirSync(root, { withFileTypes: true }).filter((e) => e.isDirectory())).toHaveLength(
      1,
    );
    policy.teardown();
  });

  test('a packet hook is attached only while a chain has work for it', () => {
    const withIngress = [...HOOKS, 'inet_ingress'];
    policy.enforce('-A CONNECT -p udp --dport 7001 -j DROP');
    expect(attached()).toEqual(WITH_OPTIONS);
    policy.enforce('-A ACCEPT -p tcp --dport 7001 -j DROP');
    expect(attached()).toEqual([...withIngress, ...(hasBpfLsm() ? ['socket_accept'] : [])]);
    policy.enforce('-P RECVFROM DROP');
    expect(attached()).toEqual(withIngress);
    expect(programsAt('inet_ingress')).toHaveLength(1);
    policy.enforce('-A BIND -p udp --dport 7001');
    // At once: beside the next one it would count every packet twice.
    expect(programsAt('inet_ingress')).toHaveLength(0);
    expect(attached()).toEqual(HOOKS);
    // What listens or receives at a port that the kernel chose has its BIND judged when a packet comes.
    policy.enforce(':own - [0:0]\n-A BIND -p udp -j own\n-A own -p udp --dport 7001 -j REJECT');
    expect(attached()).toEqual([
      ...HOOKS.slice(0, 5),
      'inet4_post_bind',
      'inet6_post_bind',
      ...HOOKS.slice(5),
      'inet_ingress',
    ]);
  });

  test('status tells what is there', () => {
    const path = bed.cgroups.childPath('root/in');
    policy.enforce(`-G in --id 3 --path ${path}\n-G free --id 4\n-A BIND -m cgroup --id 3 -j DROP`);
    const before = status();
    expect(before).toMatchObject({ root: policy.root, rules: 1, paths: 1, cgroups: 2 });
    expect(before?.nodes).toBeGreaterThan(3);
    expect(before?.bytes).toBe(5 * PAGE_BYTES);
    bed.cgroups.child('root/more/below');
    policy.enforce('-A BIND -j DROP\n-A BIND -j DROP');
    const after = status();
    expect(after).toMatchObject({ rules: 2, paths: 0, cgroups: 4 });
    expect(after?.sequence).toBe((before?.sequence ?? 0) + 1);
  });

  test('a root that was made again is said to be detached, and the next commit attaches', async () => {
    bed.cgroups.child('renewed/web');
    renewed = new Policy(bed.cgroups.childPath('renewed'));
    const rules = `-G web --id 3 --path ${bed.cgroups.childPath('renewed/web')}
      -A CONNECT -m cgroup --id 3 -j REJECT --reject-with EACCES
      -A BIND -p udp --dport 7001 -j DROP`;
    renewed.enforce(rules);
    const hooks = () => renewed.status()?.hooks ?? [];
    expect(hooks().every(({ attached, needed }) => attached || !needed)).toBe(true);
    await bed.cgroups.removeChild('renewed');
    const web = await bed.caller('renewed/web');
    expect(hooks().filter((hook) => hook.attached)).toHaveLength(3);
    expect(renewed.use((firewall) => firewall.read()?.text)).toBe(printSave(tableOf(rules)));
    expect(await connect(7001, web)).toBe('ok');
    renewed.enforce(rules);
    expect(hooks().every(({ attached, needed }) => attached || !needed)).toBe(true);
    expect(await connect(7001, web)).toBe('EACCES');
  });

  test('a folder of pins that was left half-made is repaired', async () => {
    policy.enforce('-A CONNECT -p udp --dport 7001 -j DROP');
    const folder = pins();
    const fds = ['groups', 'cgroup_mkdir', 'scratch'].map((name) => openPinned(join(folder, name)));
    policy.teardown();
    mkdirSync(folder, { recursive: true });
    ['groups', 'cgroup_mkdir', 'generation-0'].forEach((name, n) => {
      const fd = fds[n];
      if (fd === undefined) throw new Error(`no ${name}`);
      const bytes = Buffer.from(`${join(folder, name)}\0`);
      const attribute = Buffer.alloc(16);
      attribute.writeBigUInt64LE(linux.address(bytes), 0);
      attribute.writeUInt32LE(fd, 8);
      expect(linux.call('bpf', 6, attribute, attribute.length)).toBe(0);
      close(fd);
    });
    expect(status()).toBeUndefined();
    policy.enforce(`-G late --id 3 --path ${policy.root}/late
      -A CONNECT -m cgroup --id 3 -j REJECT --reject-with EACCES`);
    expect(attached()).toEqual(WITH_OPTIONS);
    expect(await connect(7001, await bed.caller('root/late'))).toBe('EACCES');
  });

  describe('a commit that fails changes nothing', () => {
    const table = () => tableOf('-A CONNECT -p udp --dport 7001 -j REJECT --reject-with EACCES');
    beforeEach(() => {
      policy.enforce(table());
    });

    async function expectUnchanged(change: () => void, error?: new (...args: never[]) => Error) {
      const before = { text: textInForce(), status: status() };
      if (error) expect(change).toThrow(error);
      else expect(change).toThrow();
      expect({ text: textInForce(), status: status() }).toEqual(before);
      expect(before.text).toBe(printSave(table()));
      expect(await connect(7001)).toBe('EACCES');
    }

    test.each<[string, () => Table | string, new (...args: never[]) => Error]>([
      [
        'a path of 600 bytes',
        () =>
          `-G long --id 3 --path ${policy.root}${`/${'x'.repeat(150)}`.repeat(4)}\n-P CONNECT DROP`,
        CapacityError,
      ],
      ['a group outside of the root', () => '-G out --id 3 --path /elsewhere', TableError],
      [
        'too many registered paths',
        () => ({
          ...tableOf('-P CONNECT DROP'),
          groups: Array.from({ length: 65_537 }, (_, n) => ({
            name: `g${n}`,
            id: n + 1,
            path: `${policy.root}/g${n}`,
          })),
        }),
        CapacityError,
      ],
      [
        'too many patterns in one folder',
        () =>
          Array.from({ length: 33 }, (_, n) => {
            const path = `${policy.root}/${String.fromCharCode(48 + n)}${'x'.repeat(n)}*`;
            return `-G g${n} --id ${n + 1} --path "${path.replace('?', '\\\\?')}"\n`;
          }).join(''),
        CapacityError,
      ],
      ['too many steps for a call', () => '-A CONNECT -p udp\n'.repeat(1100), CapacityError],
    ])('%s', async (_, rules, error) => {
      const given = rules();
      const wanted = typeof given === 'string' ? tableOf(given) : given;
      await expectUnchanged(() => policy.enforce(wanted), error);
    });

    test('a hook that another program shuts out', async () => {
      const program = loadProgram(
        {
          name: 'exclusive',
          type: 'cgroup_skb',
          expectedAttachType: 'inet_ingress',
          license: 'GPL',
          items: [movImm(R0, 1), exit()],
        },
        {},
      );
      const cgroup = openDirectory(bed.cgroups.root);
      const attribute = Buffer.alloc(16);
      attribute.writeUInt32LE(cgroup, 0);
      attribute.writeUInt32LE(program, 4);
      // BPF_PROG_ATTACH and, below, BPF_PROG_DETACH.
      expect(linux.call('bpf', 8, attribute, attribute.length)).toBe(0);
      await expectUnchanged(() => policy.enforce('-P RECVFROM DROP\n-P CONNECT DROP'));
      const folder = pins();
      policy.teardown();
      expect(() => policy.enforce('-P RECVFROM DROP')).toThrow();
      expect(existsSync(folder)).toBe(false);
      expect(linux.call('bpf', 9, attribute, attribute.length)).toBe(0);
      close(program);
      close(cgroup);
      policy.enforce('-P RECVFROM DROP');
      expect(attached()).toContain('inet_ingress');
    });
  });

  test('what another version has put in force is refused, with the way out', async () => {
    policy.enforce('-A CONNECT -p udp --dport 7001 -j REJECT --reject-with EACCES');
    withPin(`generation-${status()?.sequence}`, (fd) => {
      const key = new Uint8Array(4);
      const header = lookup(fd, key, PAGE_BYTES);
      if (!header) throw new Error('no header');
      header[0] = 99;
      update(fd, key, header);
    });
    for (const use of [textInForce, status, () => policy.enforce('-P BIND DROP')]) {
      expect(use).toThrow(UnsupportedError);
      expect(use).toThrow('format 99');
    }
    expect(await connect(7001)).toBe('EACCES');
    policy.teardown();
    expect(await connect(7001)).toBe('ok');
    policy.enforce('-A CONNECT -p udp --dport 7001 -j DROP');
    expect(await connect(7001)).toBe('EPERM');
  });

  test('who reads without the lock is given no table whose map has another one meanwhile', () => {
    const rule = (port: number) => `-A CONNECT -p udp --dport ${port} -j DROP`;
    policy.enforce(rule(7001));
    policy.enforce(rule(7002));
    const source = EventSource.open(policy.root);
    if (!source) throw new Error('nothing is in force');
    try {
      const asked: number[] = [];
      const read = source.texts((sequence) => {
        asked.push(sequence);
        // What is read has been in force before, twice: its map is the next one's.
        for (const port of asked.length === 1 ? [7003, 7004] : []) policy.enforce(rule(port));
        return false;
      });
      expect(read).toEqual([{ sequence: status()?.sequence, text: textInForce() }]);
      expect(read[0]?.text).toContain('7004');
      expect(asked).toHaveLength(2);
    } finally {
      close(source.events);
      source.close();
    }
  });

  test('a table that has grown by a page goes on in the maps that it had', () => {
    const table = tableOf('-A BIND -p udp --dport 7001 -j DROP');
    const commit = (pages: number) => {
      const text = `# ${'x'.repeat(pages * PAGE_BYTES)}`;
      policy.use((firewall) => firewall.commit({ table, text, origins: [] }));
      return [status()?.bytes, status()?.spareBytes];
    };
    commit(40);
    const sizes = commit(40);
    expect(sizes).not.toContain(0);
    expect([commit(41), commit(41)]).toEqual([sizes, sizes]);
  });

  test('100 commits leave no descriptor and no map behind but the spare one', async () => {
    const table = tableOf('-A BIND -p udp --dport 7001 -j DROP');
    // A size that no generation of another test has.
    const text = `# ${'x'.repeat(40 * PAGE_BYTES)}`;
    const commit = () => policy.use((firewall) => firewall.commit({ table, text, origins: [] }));
    commit();
    const pages = (status()?.bytes ?? 0) / PAGE_BYTES;
    const descriptors = () => readdirSync('/proc/self/fd').length;
    const generations = () =>
      [...mapIds()].filter((id) => {
        const fd = mapById(id);
        if (fd === undefined) return false;
        const { name, maxEntries } = mapInfo(fd);
        close(fd);
        return name === 'sf_generation' && maxEntries === pages;
      });
    const before = descriptors();
    for (let n = 0; n < 100; n++) commit();
    expect(descriptors()).toBe(before);
    expect(await until(() => generations().length === 2)).toBe(true);
    expect(readdirSync(pins()).filter((name) => name.startsWith('generation-'))).toHaveLength(1);
    const known = generations();
    const last = status()?.committed ?? 0;
    commit();
    expect(status()?.committed).toBeGreaterThan(last);
    expect(generations()).toEqual(known);
    expect(status()).toMatchObject({ bytes: pages * PAGE_BYTES, spareBytes: pages * PAGE_BYTES });
    // What does not fit is not kept.
    policy.enforce('-A BIND -p udp --dport 7001 -j DROP');
    expect(readdirSync(pins())).not.toContain('spare');
    expect(status()?.spareBytes).toBe(0);
    expect(await until(() => generations().length === 0)).toBe(true);
  });
});
