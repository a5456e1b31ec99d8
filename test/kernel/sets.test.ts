/** Named sets in force: real calls, changes without a commit, and what commits and trials leave of them. */
import { printSave } from '@sockfilter/iptables';
import { CapacityError, type Firewall } from '@sockfilter/kernel';
import {
  elementAt,
  findSet,
  type NamedSet,
  requireSet,
  type Table,
  TableError,
} from '@sockfilter/table';
import type { Caller } from '../harness/caller.js';
import { describeKernel } from '../harness/kernel.js';
import { beforeCalls } from '../harness/policedcaller.js';
import { type Policy, tableOf } from '../harness/policy.js';

describeKernel('named sets', () => {
  let policy: Policy;
  let caller: Caller;
  beforeCalls((made) => {
    ({ policy, caller } = made);
  });

  const textOf = (table: Table) => printSave(table, { elements: false });

  function enforce(rules: string): Table {
    const table = tableOf(rules);
    policy.use((firewall) => firewall.commit({ table, text: textOf(table), origins: [] }));
    return table;
  }

  /** Runs on a set in force. */
  function onSet<T>(name: string, run: (firewall: Firewall, table: Table, set: NamedSet) => T): T {
    return policy.use((firewall) => {
      const table = tableOf(firewall.text ?? '');
      return run(firewall, table, requireSet(table, name));
    });
  }

  /** The lines of the sets as they are in force. */
  const saved = () =>
    policy.use((firewall) =>
      printSave(firewall.fill(tableOf(firewall.text ?? '')))
        .split('\n')
        .filter((line) => line.startsWith('add')),
    );

  /** The elements that such lines say. */
  function elementsOf(set: NamedSet, ...texts: readonly string[]) {
    const lines = texts.map((text) => `add ${set.name} ${text}`);
    const table = tableOf(lines.join('\n'), { ...tableOf(''), sets: [{ ...set, elements: [] }] });
    return findSet(table, set.name)?.elements ?? [];
  }

  const edit = (verb: 'add' | 'del', name: string, ...texts: readonly string[]) =>
    onSet(name, (firewall, table, set) =>
      firewall.editSet(table, set, verb, elementsOf(set, ...texts), { exist: false }),
    );

  async function connect(address: string, port: number): Promise<string> {
    const fd = await caller.socket(address.includes(':') ? 'inet6' : 'inet', 'dgram');
    const outcome = await caller.connect(fd, { address, port });
    await caller.close(fd);
    return outcome;
  }

  const SETS = `create n net
    create i ip
    create p port
    create np net,port
    create ip ip,port timeout 0
    create six net family inet6`;
  const RULES = `-A CONNECT -m set --match-set n dst -j REJECT --reject-with EACCES
    -A CONNECT -m set --match-set i dst -j REJECT --reject-with ENETUNREACH
    -A CONNECT -m set --match-set p dst -j REJECT --reject-with EHOSTUNREACH
    -A CONNECT -m set --match-set np dst,dst -j REJECT --reject-with ECONNREFUSED
    -A CONNECT -m set --match-set ip dst,dst -j REJECT --reject-with ETIMEDOUT
    -A CONNECT -m set --match-set six dst -j REJECT --reject-with EADDRNOTAVAIL`;

  test('each type is asked by calls, and changed without a commit', async () => {
    enforce(`${SETS}\n${RULES}`);
    const calls = [
      ['127.9.1.1', 1],
      ['127.1.1.1', 1],
      ['127.1.1.2', 8080],
      ['127.2.3.4', 53],
      ['127.2.3.4', 54],
      ['127.3.0.1', 99],
      ['::1', 7],
    ] as const;
    const outcomes = async () => {
      const said: string[] = [];
      for (const [address, port] of calls) said.push(await connect(address, port));
      return said;
    };
    expect(await outcomes()).toEqual(calls.map(() => 'ok'));
    const sequence = policy.use((firewall) => firewall.read()?.text);
    edit('add', 'n', '127.9.0.0/16');
    edit('add', 'i', '127.1.1.1');
    edit('add', 'p', '8080');
    edit('add', 'np', '127.2.0.0/16,udp:53');
    edit('add', 'ip', '127.3.0.1,udp:99');
    edit('add', 'six', '::/64');
    expect(await outcomes()).toEqual([
      'EACCES',
      'ENETUNREACH',
      'EHOSTUNREACH',
      'ECONNREFUSED',
      'ok',
      'ETIMEDOUT',
      'EADDRNOTAVAIL',
    ]);
    expect(policy.use((firewall) => firewall.read()?.text)).toBe(sequence);
    expect(saved()).toEqual([
      'add n 127.9.0.0/16',
      'add i 127.1.1.1',
      'add p 8080',
      'add np 127.2.0.0/16,udp:53',
      'add ip 127.3.0.1,udp:99 timeout 0',
      'add six ::/64',
    ]);
    edit('del', 'n', '127.9.0.0/16');
    onSet('i', (firewall, table, set) => firewall.emptySet(table, set));
    expect((await outcomes()).slice(0, 2)).toEqual(['ok', 'ok']);
  });

  test('a commit keeps what it does not change, and nothing else', async () => {
    enforce(
      `create s ip\nadd s 127.1.1.1\n-A CONNECT -m set --match-set s dst -j REJECT --reject-with EACCES`,
    );
    edit('add', 's', '127.1.1.2');
    policy.use((firewall) => {
      const table = tableOf('-A CONNECT -p tcp -j DROP', tableOf(firewall.text ?? ''));
      firewall.commit({ table, text: textOf(table), origins: [], setOrigins: [0] });
    });
    expect(await connect('127.1.1.2', 1)).toBe('EACCES');
    enforce(
      `create s ip\nadd s 127.1.1.3\n-A CONNECT -m set --match-set s dst -j REJECT --reject-with EACCES`,
    );
    expect([await connect('127.1.1.2', 1), await connect('127.1.1.3', 1)]).toEqual([
      'ok',
      'EACCES',
    ]);
  });

  test('a trial that is undone leaves the sets as they were', async () => {
    const before = 'create s ip\nadd s 127.1.1.1\n-A CONNECT -m set --match-set s dst -j DROP';
    enforce(before);
    const table = tableOf(before.replace('add s 127.1.1.1', 'add s 127.1.1.2'));
    policy.use((firewall) =>
      firewall.commit({ table, text: textOf(table), origins: [], confirmWithin: 60 }),
    );
    expect([await connect('127.1.1.1', 1), await connect('127.1.1.2', 1)]).toEqual(['ok', 'EPERM']);
    expect(() => edit('add', 's', '127.1.1.3')).toThrow('on trial');
    policy.use((firewall) => firewall.abort());
    expect([await connect('127.1.1.1', 1), await connect('127.1.1.2', 1)]).toEqual(['EPERM', 'ok']);
    edit('add', 's', '127.1.1.3');
    expect(saved()).toEqual(['add s 127.1.1.1', 'add s 127.1.1.3']);
  });

  test('what has timed out takes no room, and a full set takes nothing', () => {
    enforce(
      'create s ip timeout 1 maxelem 2 comment\nadd s 127.1.1.1 timeout 0 comment a\nadd s 127.1.1.2 timeout 1',
    );
    const full = () => edit('add', 's', '127.1.1.3 timeout 0 comment c');
    const until = Date.now() + 10_000;
    const isFull = () => {
      try {
        full();
        return false;
      } catch (error) {
        if (error instanceof TableError && error.message.includes('is full')) return true;
        throw error;
      }
    };
    while (isFull() && Date.now() < until)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
    expect(saved()).toEqual([
      'add s 127.1.1.1 timeout 0 comment a',
      'add s 127.1.1.3 timeout 0 comment c',
    ]);
    expect(() => edit('add', 's', '127.1.1.4 timeout 0')).toThrow('is full');
    expect(() => edit('add', 's', '127.1.1.3 timeout 0')).toThrow('already added');
    expect(saved()).toHaveLength(2);
  });

  test('exceptions decide, elements count, comments are kept', async () => {
    enforce(`create s net timeout 0 counters comment
      add s 127.0.0.0/8 comment "all of it"
      add s 127.2.0.0/16 nomatch
      add s 127.2.2.0/24 packets 5
      create n net,port counters
      add n 127.9.0.0/16,udp:1-2
      add n 127.9.9.0/24,udp:2 nomatch
      create h ip timeout 100 counters
      add h 127.9.0.1
      -A CONNECT -m set --match-set n dst,dst -j REJECT --reject-with ENETUNREACH
      -A CONNECT -m set --match-set h dst -j REJECT --reject-with ETIMEDOUT
      -A CONNECT -m set --match-set s dst -j REJECT --reject-with EACCES
      -A CONNECT -m set --match-set s dst --return-nomatch -j REJECT --reject-with ECONNREFUSED`);
    const counts = () =>
      policy.use((firewall) =>
        firewall
          .fill(tableOf(firewall.text ?? ''))
          .sets.map(({ elements }) => elements.map(({ packets }) => Number(packets))),
      );
    const calls = [
      ['127.9.0.1', 1],
      ['127.9.9.1', 1],
      ['127.9.9.1', 2],
      ['127.9.0.1', 3],
      ['127.2.1.1', 1],
      ['127.2.2.1', 1],
    ] as const;
    const outcomes: string[] = [];
    for (const [address, port] of calls) outcomes.push(await connect(address, port));
    expect(outcomes).toEqual([
      'ENETUNREACH',
      'ENETUNREACH',
      'EACCES',
      'ETIMEDOUT',
      'ECONNREFUSED',
      'EACCES',
    ]);
    // An exception is found twice by the call that both rules judge.
    expect(counts()).toEqual([[1, 2, 6], [2, 0, 1], [1]]);
    expect(saved()).toEqual([
      'add s 127.0.0.0/8 timeout 0 comment "all of it"',
      'add s 127.2.0.0/16 timeout 0 nomatch',
      'add s 127.2.2.0/24 timeout 0',
      'add n 127.9.0.0/16,udp:1',
      'add n 127.9.0.0/16,udp:2',
      'add n 127.9.9.0/24,udp:2 nomatch',
      expect.stringMatching(/^add h 127\.9\.0\.1 timeout \d+$/),
    ]);
    onSet('s', (firewall, table, set) =>
      firewall.editSet(table, set, 'add', elementsOf(set, '127.2.2.0/24 comment again'), {
        exist: true,
      }),
    );
    expect(counts()[0]).toEqual([1, 2, 6]);
  });

  test('all of several elements are added, or none, and a comment goes with its element', () => {
    enforce(
      'create s net maxelem 3 comment\nadd s 10.0.0.0/8 comment a\nadd s 11.0.0.0/8 comment b',
    );
    const change = (verb: 'add' | 'del', exist: boolean, ...texts: readonly string[]) =>
      onSet('s', (firewall, table, set) =>
        firewall.editSet(table, set, verb, elementsOf(set, ...texts), { exist }),
      );
    const before = saved();
    expect(() =>
      change('add', true, '10.0.0.0/8 comment c', '11.0.0.0/8 nomatch', '12.0.0.0/7', '14.0.0.0/8'),
    ).toThrow('is full');
    expect(saved()).toEqual(before);
    change('del', false, '10.0.0.0/8');
    change('add', false, '10.0.0.0/8');
    change('add', true, '11.0.0.0/8 nomatch comment "b c"');
    expect(saved()).toEqual(['add s 10.0.0.0/8', 'add s 11.0.0.0/8 nomatch comment "b c"']);
  });

  test('a net that holds another is not the other', () => {
    enforce('create s net\nadd s 10.0.0.0/8');
    edit('add', 's', '10.1.0.0/16');
    expect(() => edit('del', 's', '10.2.0.0/16')).toThrow('not added');
    edit('del', 's', '10.0.0.0/8');
    expect(saved()).toEqual(['add s 10.1.0.0/16']);
    const has = (text: string) =>
      onSet('s', (firewall, table, set) => {
        return firewall.hasElement(table, set, elementAt(elementsOf(set, text), 0));
      });
    expect(['10.1.2.3', '10.2.0.0', '10.0.0.0/8'].map(has)).toEqual([true, false, false]);
  });

  test('more sets than there is room for are refused', () => {
    const many = Array.from({ length: 2048 }, (_, n) => `create s${n} ip`);
    expect(() => enforce(many.join('\n'))).toThrow(CapacityError);
  });
});
