/** Events of real calls: what readers get, and what is left of a reader that is killed. */
import { writeFileSync } from 'node:fs';
import { close } from '@sockfilter/bpf';
import { type Batch, EventReader, type RawEvent } from '@sockfilter/events';
import { EventSource } from '@sockfilter/kernel';
import { readEvents } from '@sockfilter/policy';
import { elementAt } from '@sockfilter/table';
import { ended, Workplace } from '../cli/command.js';
import type { Caller } from '../harness/caller.js';
import { describeKernel } from '../harness/kernel.js';
import { Policy } from '../harness/policy.js';
import { Testbed } from '../harness/testbed.js';

/** A reader in this process. */
class Ear {
  readonly #source: EventSource;
  readonly #reader: EventReader;
  readonly #batches: AsyncGenerator<Batch>;
  readonly slot: number;

  constructor(root: string, passed = false) {
    const source = EventSource.open(root);
    if (!source) throw new Error('nothing is installed');
    this.#source = source;
    this.slot = source.slot.slot;
    this.#reader = new EventReader(source.events, this.slot, source.cpus);
    this.#batches = this.#reader.batches();
    source.slot.announce({ passed });
  }

  /** The next events, as many as that. */
  async hear(count: number): Promise<readonly RawEvent[]> {
    const events: RawEvent[] = [];
    while (events.length < count) {
      const { value, done } = await this.#batches.next();
      if (done) throw new Error('the reader has ended');
      events.push(...value.events);
    }
    return events;
  }

  /** Who holds the socket of the event. */
  holders({ socket, cgroup }: RawEvent) {
    return this.#source.socketHolders(socket, this.#source.cgroupPath(cgroup));
  }

  async close(): Promise<void> {
    this.#reader.end();
    for await (const _ of this.#batches);
    this.#source.slot.close();
    this.#reader.close();
    this.#source.close();
  }
}

const words = ({ kind, errno, counter, chain }: RawEvent) =>
  `${kind} ${chain} ${counter}${kind === 'refused' ? ` errno ${errno}` : ''}`;

describeKernel('events', () => {
  let bed: Testbed;
  let policy: Policy;
  let place: Workplace;
  let web: Caller;
  beforeAll(async () => {
    bed = await Testbed.create();
    policy = new Policy(bed.cgroups.path);
    place = new Workplace({ SOCKFILTER_ROOT: bed.cgroups.path });
    policy.enforce(`-G web --id 3 --path ${bed.cgroups.path}/web
      -A CONNECT -d 10.9.9.9 -j LOG --log-prefix "nine "
      -A CONNECT -d 10.9.9.9 -j DROP
      -A CONNECT -d 10.9.9.1 -j TRACE
      -A CONNECT -d 10.9.9.0/24
      -A CONNECT -d 10.9.9.1 -p tcp -j REJECT --reject-with EACCES
      -A BIND -d 10.9.9.2 -j REJECT --reject-with EACCES --audit
      -A BIND -d 10.9.9.2 -j DROP
      -A RECVFROM -p udp --dport 7000 -j DROP
      -A ACCEPT -p tcp --dport 7000 -j DROP`);
    web = await bed.caller('web');
  });
  afterAll(async () => {
    policy?.teardown();
    await bed?.close();
    place?.remove();
  });

  const connect = async (address: string, type: 'stream' | 'dgram' = 'dgram') =>
    web.connect(await web.socket('inet', type), { address, port: 80 });

  test('each reader gets all: refusals, logs and the way of a traced call', async () => {
    const ears = [new Ear(policy.root), new Ear(policy.root)];
    try {
      expect(ears.map(({ slot }) => slot)).toEqual([0, 1]);
      expect(await connect('10.9.9.9')).toBe('EPERM');
      expect(await connect('10.9.9.2')).toBe('ok');
      expect(await connect('10.9.9.1')).toBe('ok');
      expect(await connect('10.9.9.1', 'stream')).toBe('EACCES');
      for (const ear of ears) {
        const events = await ear.hear(9);
        const first = Math.min(...events.map(({ counter = 0 }) => counter));
        expect(
          events.map((event) => words({ ...event, counter: (event.counter ?? 0) - first })),
        ).toEqual([
          'log CONNECT 0',
          'refused CONNECT 1 errno 1',
          'trace CONNECT 2',
          'trace CONNECT 3',
          'trace CONNECT 5',
          'trace CONNECT 2',
          'trace CONNECT 3',
          'trace CONNECT 4',
          'refused CONNECT 4 errno 13',
        ]);
        const event = elementAt(events, 0);
        expect(event.packet).toMatchObject({ group: 3, protocol: 17, destinationPort: 80 });
        expect(event).toMatchObject({ group: 3, uid: 0, gid: 0 });
        expect(event.task?.pid).toBeGreaterThan(1);
        expect(event.netns).toBeGreaterThan(0n);
      }
    } finally {
      for (const ear of ears) await ear.close();
    }
  });

  test('a refusal is kept with its group where nobody reads and no rule asks for groups', async () => {
    expect(await connect('10.9.9.9')).toBe('EPERM');
    const source = EventSource.open(policy.root);
    try {
      expect(source?.lastRefusal()?.event).toMatchObject({ chain: 'CONNECT', group: 3 });
    } finally {
      source?.close();
    }
  });

  test('what is audited passes, and is told', async () => {
    const ear = new Ear(policy.root);
    try {
      const fd = await web.socket('inet', 'dgram');
      expect(await web.bind(fd, { address: '10.9.9.2', port: 7001 })).toBe('ok');
      const [event] = await ear.hear(1);
      expect(event).toMatchObject({ kind: 'audit', chain: 'BIND', errno: 0, group: 3 });
    } finally {
      await ear.close();
    }
  });

  test.each([
    ['dgram', 'RECVFROM', 17],
    ['stream', 'ACCEPT', 6],
  ] as const)(
    'what comes to a %s socket is told with its holder, not with whoever runs',
    async (type, chain, protocol) => {
      const ear = new Ear(policy.root);
      const server = await bed.caller('web');
      const client = await bed.caller('other');
      try {
        const { fd, address } = await server.open(type, { address: '127.0.0.1', port: 7000 });
        // Who has moved is looked for everywhere.
        if (type === 'stream')
          writeFileSync(`${bed.cgroups.child('moved')}/cgroup.procs`, String(server.pid));
        const own = await client.socket('inet', type);
        if (type === 'stream') expect(await client.connectAndWait(own, address)).toBe('timeout');
        else await client.sendto(own, address);
        const [event] = await ear.hear(1);
        expect(event).toMatchObject({ kind: 'refused', chain, group: 3, uid: 0 });
        expect(event?.task).toBeUndefined();
        expect(event?.packet).toMatchObject({ destinationPort: 7000, protocol });
        expect(event?.netns).toBeGreaterThan(0n);
        const comm = expect.any(String);
        expect(event && ear.holders(event)).toEqual([{ pid: server.pid, comm }]);
        await server.close(fd);
        // What was found seconds ago stands.
        expect(event && ear.holders(event)).toEqual([{ pid: server.pid, comm }]);
      } finally {
        await client.stop();
        await server.stop();
        await ear.close();
      }
    },
  );

  test('a monitor names rules after others have moved them, and ends with its reader', async () => {
    const monitor = place.start(['monitor', '--json', '--refused', '--chain', 'CONNECT']);
    const done = ended(monitor);
    const lines: { rule: { rule: number; text: string }; group: { name: string } }[] = [];
    let rest = '';
    monitor.stdout?.on('data', (piece) => {
      const parts = `${rest}${piece}`.split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts.map((line) => JSON.parse(line)));
    });
    /** Calls until a line tells what became of such a call; how many calls that takes is the machine's pace. */
    const refuseUntil = async (isTold: () => boolean) => {
      for (let n = 0; !isTold() && n < 300; n++) {
        expect(await connect('10.9.9.9')).toBe('EPERM');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    await refuseUntil(() => lines.length > 0);
    expect(lines[0]).toMatchObject({
      rule: { rule: 2, text: '-A CONNECT -d 10.9.9.9/32 -j DROP' },
      group: { name: 'web' },
    });
    expect(await readEvents(lines.map((line) => JSON.stringify(line)).join('\n'))).toMatchObject({
      events: lines,
      faults: [],
    });
    place.expectStatus(['-I', 'CONNECT', '-d', '10.9.9.200', '-j', 'ACCEPT'], 0);
    // Calls of before may be told late, and by the number that the rule had.
    await refuseUntil(() => lines.at(-1)?.rule.rule !== 2);
    for (const { rule } of lines) expect(rule.text).toBe('-A CONNECT -d 10.9.9.9/32 -j DROP');
    expect(lines.at(-1)?.rule).toMatchObject({
      rule: 3,
      text: '-A CONNECT -d 10.9.9.9/32 -j DROP',
    });
    monitor.kill('SIGINT');
    expect(await done).toMatchObject({ status: 0, stderr: '' });

    const killed = place.start(['monitor']);
    const gone = ended(killed);
    let seen = '';
    killed.stdout?.on('data', (piece) => {
      seen += piece;
    });
    for (let n = 0; seen === '' && n < 300; n++) {
      await connect('10.9.9.9');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(seen).toContain('10.9.9.9:80');
    killed.kill('SIGKILL');
    await gone;
    const ear = new Ear(policy.root);
    expect(ear.slot).toBe(0);
    await ear.close();
  });

  test('who watches counters takes no lock, and after the end has none', () => {
    const source = EventSource.open(policy.root);
    if (!source) throw new Error('nothing is installed');
    const [watched, read] = policy.use((firewall) => [
      source.counters()?.totals,
      firewall.read()?.counters,
    ]);
    expect(read?.some((count) => count > 0n)).toBe(true);
    expect(watched).toEqual(read);
    close(source.events);
    source.close();
    expect(source.counters()).toBeUndefined();
  });

  test('no more readers than there is room for', async () => {
    const ears = Array.from({ length: 8 }, () => new Ear(policy.root));
    expect(() => new Ear(policy.root)).toThrow('readers of events: 9 are needed, the limit is 8');
    for (const ear of ears) await ear.close();
  });
});
