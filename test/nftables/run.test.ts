/** nft is run: what is built comes into force, what is refused is told, what changes is seen. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  accept,
  add,
  addRule,
  apply,
  applyText,
  type Command,
  compareRulesets,
  counter,
  ct,
  type Document,
  drop,
  flushRuleset,
  jump,
  list,
  mapOf,
  match,
  matchAny,
  meta,
  monitor,
  NftError,
  named,
  objectsOf,
  payload,
  prefix,
  printRule,
  range,
  ruleset,
  sameRuleset,
  setOf,
  vmap,
} from 'nftables-json';
import { NetworkNamespace } from '../harness/netns.js';
import { describeNft } from '../harness/nft.js';
import { emptyRuleset, type Ruleset } from './load.js';

const TABLE = { family: 'inet', table: 'web' } as const;
const INPUT = { ...TABLE, chain: 'input' } as const;

/** Written by hand, in forms that nft prints otherwise. */
const WANTED: Document = ruleset(
  flushRuleset,
  add({ table: { family: 'inet', name: 'web' } }),
  add({ chain: { ...TABLE, name: 'ssh' } }),
  add({ chain: { ...TABLE, name: 'input', type: 'filter', hook: 'input', prio: 0 } }),
  add({ counter: { ...TABLE, name: 'hits' } }),
  add({
    set: {
      ...TABLE,
      name: 'admins',
      type: 'ipv4_addr',
      flags: ['interval'],
      elem: [prefix('10.1.0.0', 16), '1.1.1.1', range('2.2.2.2', '2.2.2.9')],
    },
  }),
  add({ set: { ...TABLE, name: 'late', type: 'inet_service' } }),
  add({ element: { ...TABLE, name: 'late', elem: [443, 80] } }),
  addRule(INPUT, match(meta('iifname'), 'lo'), accept),
  addRule(INPUT, matchAny(ct('state'), 'related', 'established'), counter('hits'), accept),
  addRule(INPUT, match(payload('ip6', 'saddr'), 'FD00:0:0::1'), counter(), drop),
  addRule(INPUT, match(payload('ip', 'saddr'), prefix('10.9.9.9', 32)), drop),
  addRule(INPUT, match(payload('tcp', 'dport'), setOf(443, 80)), { log: { level: 'warn' } }),
  addRule(INPUT, { limit: { rate: 2048, rate_unit: 'kbytes', per: 'second' } }, accept),
  addRule(INPUT, { limit: { rate: 7, per: 'hour', burst: 0, inv: false } }, accept),
  addRule(INPUT, { quota: { val: 1048576 } }, { log: { flags: 'skuid', prefix: 'x' } }, drop),
  addRule(INPUT, vmap(payload('tcp', 'dport'), mapOf([80, accept], [22, jump('ssh')]))),
  addRule(
    { ...INPUT, comment: 'the rest' },
    match(payload('ip', 'saddr'), named('admins'), '!='),
    drop,
  ),
);

describeNft('running nft', () => {
  let bed: Ruleset;
  beforeEach(async () => {
    bed = await emptyRuleset();
  });
  afterEach(async () => {
    await bed.namespace.remove();
  });
  afterAll(() => NetworkNamespace.removeAll());

  test('what is built comes into force, and is what was wanted', async () => {
    await apply(WANTED, bed.options);
    const { document, unknown } = await list(bed.options);
    expect(unknown).toEqual([]);
    expect(compareRulesets(WANTED, document)).toEqual([]);
    expect(objectsOf(document, 'rule').map(printRule)).toEqual([
      'iifname "lo" accept',
      'ct state established,related counter name "hits" accept',
      'ip6 saddr fd00::1 counter packets 0 bytes 0 drop',
      'ip saddr 10.9.9.9 drop',
      'tcp dport { 80, 443 } log',
      'limit rate 2 mbytes/second accept',
      'limit rate 7/hour accept',
      'quota 1 mbytes log prefix "x" flags skuid drop',
      'tcp dport vmap { 22 : jump ssh, 80 : accept }',
      'ip saddr != @admins drop comment "the rest"',
    ]);
  });

  test('applied again it is the same; changed, the change is found', async () => {
    await apply(WANTED, bed.options);
    const before = (await list(bed.options)).document;
    await apply(WANTED, bed.options);
    expect(sameRuleset(before, (await list(bed.options)).document)).toBe(true);
    await apply(ruleset(addRule(INPUT, drop)), bed.options);
    await applyText('delete set inet web late\n', bed.options);
    expect(compareRulesets(before, (await list(bed.options)).document)).toMatchObject([
      { kind: 'missing', what: 'set inet web late' },
      { kind: 'extra', what: 'rule inet web input 10' },
    ]);
  });

  test('handles come back with echo', async () => {
    const echoed = await apply(ruleset(add({ table: { family: 'ip', name: 't' } })), {
      ...bed.options,
      echo: true,
    });
    expect(echoed?.document).toMatchObject({
      nftables: [{ add: { table: { name: 't', handle: expect.any(Number) } } }],
    });
  });

  test('a check changes nothing, nor does what is refused', async () => {
    await apply(WANTED, { ...bed.options, checkOnly: true });
    expect(objectsOf((await list(bed.options)).document, 'table')).toEqual([]);
    const wrong = ruleset(
      add({ table: { family: 'ip', name: 'first' } }),
      addRule({ family: 'ip', table: 'nowhere', chain: 'c' }, accept),
    );
    await expect(apply(wrong, bed.options)).rejects.toMatchObject({
      name: 'NftError',
      kind: 'refused',
    });
    expect(objectsOf((await list(bed.options)).document, 'table')).toEqual([]);
  });

  test('errors have nft’s place: in the document, or in the text', async () => {
    const text = 'table ip t {\n  chain c {\n    tcp dport nowhere accept\n  }\n}\n';
    const failed = await applyText(text, bed.options).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(NftError);
    expect(failed instanceof NftError && failed.messages[0]).toMatchObject({
      line: 3,
      columns: [15, 21],
      shown: '    tcp dport nowhere accept',
    });
    const chain = add({ chain: { family: 'ip', table: 't', name: 'c' } });
    const bad = addRule({ family: 'ip', table: 't', chain: 'c' }, accept, {
      match: { op: '==', left: { payload: { protocol: 'tcp', field: 'colour' } }, right: 1 },
    });
    await expect(
      apply(ruleset(add({ table: { family: 'ip', name: 't' } }), chain, bad), bed.options),
    ).rejects.toThrow("$.nftables[2].rule.expr[1]: Unknown tcp field 'colour'.");
  });

  test('a program that is not there is told', async () => {
    await expect(list({ command: ['nft-is-not-here'] })).rejects.toMatchObject({ kind: 'missing' });
    const namespace = bed.options.command?.slice(0, 2) ?? [];
    await expect(list({ command: [...namespace, 'nft-is-not-here'] })).rejects.toMatchObject({
      kind: 'missing',
    });
  });

  test('output that is none of nft’s is told', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'nft-'));
    const program = join(directory, 'nft');
    writeFileSync(program, '#!/bin/sh\necho hello\n', { mode: 0o755 });
    await expect(list({ command: [program] })).rejects.toThrow(/^not JSON/);
    writeFileSync(program, '#!/bin/sh\nkill -9 $$\n', { mode: 0o755 });
    await expect(list({ command: [program] })).rejects.toMatchObject({ kind: 'failed' });
    rmSync(directory, { recursive: true });
  });

  test('changes are seen until the consumer has enough', async () => {
    const events = monitor(bed.options);
    const found: Command[] = [];
    try {
      const first = events.next();
      // nft says nothing when it listens: a table is added until it is seen.
      let seen = false;
      first.then(() => {
        seen = true;
      });
      for (let round = 0; !seen && round < 100; round++) {
        await applyText(`add table ip t${round}\n`, bed.options);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect((await first).value).toMatchObject({ add: { table: { family: 'ip' } } });
      await apply(WANTED, bed.options);
      for await (const event of events) {
        found.push(event);
        if (JSON.stringify(event).includes('the rest')) break;
      }
    } finally {
      await events.return();
    }
    expect(found.map((event) => Object.keys(event)[0])).toContain('delete');
    expect(found.at(-1)).toMatchObject({ add: { rule: { comment: 'the rest' } } });
  });

  test('a signal ends the watching', async () => {
    const stop = new AbortController();
    const events = monitor({ ...bed.options, signal: stop.signal });
    setTimeout(() => stop.abort(), 100);
    await expect(events.next()).resolves.toEqual({ done: true, value: undefined });
  });
});
