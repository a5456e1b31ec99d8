/**
 * The socket table as nftables JSON: without loss for any table, as the published schema says, and no nft
 * takes a rule for a wider one.
 */
import { spawnSync } from 'node:child_process';
import { parseSave, printRuleFile } from '@sockfilter/iptables';
import { NO_NAMES } from '@sockfilter/language';
import { isJson, parseTable, printTable, printTableFile, tableSchema } from '@sockfilter/nftables';
import { MATCHES, TARGETS, type Table, targetValues } from '@sockfilter/table';
import fc from 'fast-check';
import { z } from 'zod';
import { setTables } from '../arbitrary/set.js';
import { tables } from '../arbitrary/table.js';
import { forLength } from '../harness/length.js';
import { describeNft } from '../harness/nft.js';
import { tableOf } from '../harness/policy.js';
import { BOUNDARIES } from '../matches/boundaries.js';
import { boundaryTables } from '../matches/boundarytable.js';

const names = { names: NO_NAMES };
const RUNS = forLength({ long: 1000, short: 16 });

/** The table without the rules that no notation lets one type in their chains. */
function typable(table: Table): Table {
  for (let text = printRuleFile(table); ; ) {
    const { table: read, diagnostics } = parseSave(text, 'rules', names);
    if (diagnostics.length === 0) return read;
    const faulty = new Set(diagnostics.map(({ span }) => span.line));
    text = text
      .split('\n')
      .filter((_, at) => !faulty.has(at + 1))
      .join('\n');
  }
}

const typed = setTables(tables(4), [5, 300]).map(typable);

test('any table comes back as it was', () => {
  fc.assert(
    fc.property(typed, (table) => {
      for (const text of [printTable(table), printTableFile(table)]) {
        expect(isJson(text)).toBe(true);
        const { table: read, diagnostics } = parseTable(text, 'f', names);
        expect(diagnostics).toEqual([]);
        expect(read).toEqual(table);
      }
    }),
    { numRuns: RUNS },
  );
});

/** Options that no boundary has. */
const OTHER_RULES = `-A CONNECT -p tcp -j DNAT --to-destination 10.0.0.5:80 --random --persistent
-A CONNECT -p tcp -j REDIRECT --to-ports 80 --random
-A CONNECT -j MARK --set-xmark 0x1/0xff
-A CONNECT -j LOG --log-prefix x --log-level 3 --log-uid
-A CONNECT -j NFLOG --nflog-prefix x --nflog-group 7
-A CONNECT -j REJECT --reject-with EACCES --audit
-A CONNECT -m time --timestart 22:00:00 --timestop 06:00:00 --contiguous --kerneltz -j DROP --audit
-A CONNECT -m comment --comment x -j TRACE
-A CONNECT -m cgroup --path /web -j RETURN
-A CONNECT -m hashlimit --hashlimit-upto 5/sec --hashlimit-burst 5 --hashlimit-mode srcip,dstip --hashlimit-name n --hashlimit-htable-size 8 --hashlimit-htable-max 9 --hashlimit-htable-gcinterval 2000 --hashlimit-htable-expire 3000 --hashlimit-srcmask 24 --hashlimit-dstmask 24`;

describe('the schema', () => {
  const schema = z.fromJSONSchema(JSON.parse(JSON.stringify(tableSchema())));

  test('has every option of every match and target', () => {
    const boundaries = Object.values(BOUNDARIES).flatMap((rows) =>
      typeof rows === 'string' ? [] : rows.flatMap(boundaryTables),
    );
    const met = new Set<string>();
    for (const table of [...boundaries.map((each) => each.table), tableOf(OTHER_RULES)]) {
      const { error } = schema.safeParse(JSON.parse(printTable(table)));
      expect(error).toBeUndefined();
      for (const { matches, target } of table.chains.flatMap(({ rules }) => rules)) {
        for (const { name, options } of matches)
          for (const option of options) met.add(`${name} ${option.name}`);
        if (target)
          for (const name of Object.keys(targetValues(target))) met.add(`${target.kind} ${name}`);
      }
    }
    const known = [...Object.entries(MATCHES), ...Object.entries(TARGETS)].flatMap(
      ([name, { options }]) => Object.keys(options).map((option) => `${name} ${option}`),
    );
    // Other ways to write `--set-xmark`, and what is so anyway.
    const unprinted = ['set-mark', 'and-mark', 'or-mark', 'xor-mark'].map((name) => `mark ${name}`);
    expect(known.filter((each) => !met.has(each))).toEqual(['time utc', ...unprinted]);
  });

  test('has whatever is written', () => {
    fc.assert(
      fc.property(typed, (table) => {
        const { error } = schema.safeParse(JSON.parse(printTable(table)));
        expect(error).toBeUndefined();
      }),
      { numRuns: Math.ceil(RUNS / 4) },
    );
  });

  test.each([
    '{"nftables": [{"rule": {"family": "ip", "table": "socket", "chain": "BIND", "expr": []}}]}',
    '{"nftables": [{"rule": {"family": "inet", "table": "socket", "chain": "BIND", "expr": [{"limit": 1}]}}]}',
    '{"nftables": [{"set": {}}]}',
    '{"nftables": [{"metainfo": {"sockfilter": {"format": 2}}}]}',
  ])('refuses %s', (text) => {
    expect(schema.safeParse(JSON.parse(text)).success).toBe(false);
    expect(parseTable(text, 'f', names).diagnostics).not.toEqual([]);
  });
});

describeNft('the real nft', () => {
  function nft(items: readonly unknown[]) {
    // nft opens its input by name, which works with a pipe and not with what node gives.
    return spawnSync('unshare', ['--net', 'sh', '-c', 'cat | nft -j -c -f -'], {
      input: JSON.stringify({ nftables: items }),
      encoding: 'utf8',
    });
  }

  const place = { family: 'inet', table: 'socket' };
  const start = [
    { table: { family: 'inet', name: 'socket' } },
    { chain: { ...place, name: 'web' } },
  ];

  /** The rule of the text in a user chain, as it is written, in a chain that nft has. */
  function written(rule: string): readonly unknown[] {
    const text = `*socket\n:web - [0:0]\n-A web ${rule}\nCOMMIT\n`;
    const { table, diagnostics } = parseSave(text, 'rules', names);
    expect(diagnostics).toEqual([]);
    const { nftables } = JSON.parse(printTable(table, { chain: 'web' }));
    return nftables;
  }

  test.each([
    '-s 10.0.0.0/8 ! -d 10.0.0.1/32 -p tcp -m tcp ! --dport 80:90 -m comment --comment why -j ACCEPT',
    '-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP',
    '-p tcp -m tcp --tcp-flags SYN NONE -j DROP',
    '-d fd00:0:1::/ffff:0:ffff:: -p udp -m multiport --dports 53,80:90 -j RETURN',
    '-4 ! -p ipv6-icmp -m iprange --src-range 10.0.0.1-10.0.0.9 -m owner ! --uid-owner 0-99',
    '-p tcp -m tcp -m comment --comment a -m comment --comment b',
  ])('takes what it has words for: %s', (rule) => {
    const { status, stderr } = nft(written(rule));
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  test.each([
    '-m cgroup --id 3 -j DROP',
    '-m cgroup --path /web.slice -j DROP',
    '-m socket --local 10.0.0.1/32 -j DROP',
    '-m socket ! --local-port 80:90 -j DROP',
    '-p tcp -m multiport --ports 80,90 -j DROP',
    '-j REJECT --reject-with EACCES',
  ])('refuses what it has none for: %s', (rule) => {
    const items = written(rule);
    expect(nft(items).status).toBe(1);
    // And nothing else of it.
    const others = items.filter((item) => !JSON.stringify(item).includes('"rule"'));
    expect(nft(others).status).toBe(0);
  });

  test('takes our sets as they are, which are sets of its own', () => {
    const text = `*socket
      create a ip timeout 60\nadd a 10.0.0.5\nadd a 10.0.0.6 timeout 5
      create b net family inet6\nadd b fd00::/8
      create c port\nadd c 80-82
      create d ip,port\nadd d 10.0.0.5,udp:53
      create e net,port maxelem 9\nadd e 10.0.0.0/8,tcp:80\nCOMMIT`;
    const { table, diagnostics } = parseSave(text, 'rules', names);
    expect(diagnostics).toEqual([]);
    const { nftables } = JSON.parse(printTable(table));
    const sets = nftables.filter((item: object) => 'set' in item);
    expect(sets).toHaveLength(5);
    const { status, stderr } = nft([...start, ...sets]);
    expect([stderr, status]).toEqual(['', 0]);
  });

  test('refuses our hooks and groups, so that no document of ours seems to be in force', () => {
    const hook = { chain: { ...place, name: 'BIND', type: 'filter', hook: 'bind', prio: 0 } };
    expect(nft([...start, hook]).status).toBe(1);
    expect(nft([...start, { sockfilter: { group: { name: 'web', id: 3 } } }]).status).toBe(1);
  });
});
