/** `import 'sockfilter'`: what programs have of the command. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  check,
  DiagnosticsError,
  diff,
  explain,
  open,
  parseRules,
  query,
  type SocketEvent,
} from '../../packages/cli/src/api/index.js';
import { describeKernel } from '../harness/kernel.js';
import { Testbed } from '../harness/testbed.js';

const RULES = `*socket
:BIND DROP
-A BIND -p tcp --dport 8080 -j ACCEPT
COMMIT
`;

const bind = (port: number) => ({ chain: 'BIND', proto: 'tcp', dst: `127.0.0.1:${port}` });

describe('rules', () => {
  const rules = parseRules(RULES);

  test('are read, and asked', () => {
    expect(rules.diagnostics).toEqual([]);
    expect(explain(rules, bind(8080))).toMatchObject({ verdict: 'allowed', decider: { rule: 1 } });
    expect(explain(rules, bind(81))).toMatchObject({ verdict: 'refused', errnoName: 'EPERM' });
    const { regions, tooMany } = query(rules, 'accept', { chain: 'BIND' });
    expect([regions.map(({ text }) => text), tooMany]).toEqual([
      ['BIND, tcp, to port 8080'],
      false,
    ]);
    expect(regions[0]?.region).toEqual({ chain: ['BIND'], proto: ['tcp'], dport: ['8080'] });
  });

  test('are compared as regions that can be asked for again', () => {
    const wider = parseRules(RULES.replace('8080', '8080:8081'));
    const { isSame, regions } = diff(rules, wider);
    expect([isSame, regions.map(({ kind }) => kind)]).toEqual([false, ['newly accepted']]);
    const [changed] = regions;
    expect(query(rules, 'accept', changed?.region).regions).toEqual([]);
    expect(query(wider, 'refuse', changed?.region).regions).toEqual([]);
    expect(diff(rules, rules).isSame).toBe(true);
  });

  test('that have mistakes are data, until something is asked of them', () => {
    const wrong = parseRules(RULES.replace('--dport', '--dprot'), { name: 'wrong.rules' });
    expect(wrong.diagnostics).toMatchObject([
      { span: { source: 'wrong.rules', line: 3 }, help: 'did you mean `--dport`?' },
    ]);
    expect(check(wrong)).toMatchObject([{ code: 'SF000', place: { line: 3 } }]);
    expect(() => explain(wrong, bind(80))).toThrow(DiagnosticsError);
    expect(() => diff(rules, wrong)).toThrow(DiagnosticsError);
  });

  test('are asked sensibly, or the question is told', () => {
    expect(() => explain(rules, { chain: 'BID' })).toThrow('`BID` is no built-in chain');
    expect(() => query(rules, 'accept', { proto: 'tpc' })).toThrow('tpc');
    expect(() => check(rules, { kernel: 'new' })).toThrow('no kernel version');
    expect(() => open('web.slice/*')).toThrow();
  });
});

describeKernel('a table in force', () => {
  let bed: Testbed;
  let state: string;
  const before = process.env.SOCKFILTER_STATE_DIR;
  beforeAll(async () => {
    bed = await Testbed.create();
    state = mkdtempSync(join(tmpdir(), 'sockfilter-api-'));
    process.env.SOCKFILTER_STATE_DIR = state;
  });
  afterAll(async () => {
    open(bed.cgroups.path).teardown();
    await bed.close();
    rmSync(state, { recursive: true, force: true });
    if (before === undefined) delete process.env.SOCKFILTER_STATE_DIR;
    else process.env.SOCKFILTER_STATE_DIR = before;
  });

  test('is put in force, watched, counted, and undone', async () => {
    const told: string[] = [];
    const table = open(bed.cgroups.path, { tell: (text) => told.push(text) });
    expect([table.rules(), table.counters(), table.status()]).toEqual([undefined, [], undefined]);
    expect(() => table.commit(parseRules('*socket\n-A NOWHERE\nCOMMIT\n'))).toThrow(
      DiagnosticsError,
    );
    expect(table.rules()).toBeUndefined();

    table.commit(parseRules(RULES), { label: 'first' });
    const caller = await bed.caller('api');
    const tryBind = async (port: number) =>
      caller.bind(await caller.socket('inet', 'stream'), { address: '127.0.0.1', port });
    const seen: SocketEvent[] = [];
    const events = table.events();
    const first = events.next();
    // The reader is there once `next` was asked and the loop has gone round.
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await tryBind(8081)).toBe('EPERM');
    const { value } = await first;
    if (value) seen.push(value);
    await events.return();
    expect(seen).toMatchObject([{ kind: 'refused', chain: 'BIND', errnoName: 'EPERM' }]);
    expect(await tryBind(8080)).toBe('ok');

    table.commit(parseRules(RULES.replace(':BIND DROP', ':BIND ACCEPT')), { keepCounters: true });
    expect(await tryBind(8081)).toBe('ok');
    const [rule] = table.counters();
    expect(rule).toMatchObject({ chain: 'BIND', rule: 1, packets: 1n });
    expect(table.explain(bind(8081))).toMatchObject({ verdict: 'allowed', installed: true });
    expect(table.undo()).toContain('first');
    expect(await tryBind(8082)).toBe('EPERM');
    expect(table.status()?.hooks.length).toBeGreaterThan(0);
    expect(told).toEqual([]);
  });
});
