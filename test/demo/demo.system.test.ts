/** The demo is what a stranger sees first, so it is tested: it must pass, and be able to fail. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Workplace } from '../cli/command.js';
import { cgroupMount } from '../harness/cgroups.js';
import { describeKernel } from '../harness/kernel.js';
import { CALLS, CHAINS, type DemoCall, SILENCE } from './calls.js';
import type { Run } from './command.js';
import { demo } from './main.js';
import { Painter, printSummary, printTable, type Row } from './report.js';

const REPOSITORY = join(__dirname, '../..');

const place = new Workplace();
afterAll(() => place.remove());

/** The demo's commands are run by the resident one: what they are as processes the demo itself shows. */
const runResident: Run = async (args, environment) => {
  const variables = Object.entries(environment).map(([name, value = '']) => [name, value]);
  return place.run(args, { env: Object.fromEntries(variables) });
};

/** Runs the demo and gives its exit status and what it printed. */
async function run(...args: readonly string[]): Promise<{ status: number; text: string }> {
  let text = '';
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  try {
    return { status: await demo(REPOSITORY, args, runResident), text };
  } finally {
    write.mockRestore();
  }
}

const summary = `${CALLS.length} calls`;

describe('the calls', () => {
  const has = (test: (call: DemoCall) => boolean) => CALLS.some(test);

  test.each(CHAINS)('of %s are allowed and refused, over IPv4 and IPv6', (chain) => {
    for (const six of [false, true])
      for (const isAllowed of [false, true]) {
        const fits = (call: DemoCall) =>
          call.chain === chain &&
          call.to.address.includes(':') === six &&
          (call.expected === 'ok') === isAllowed;
        expect([six, isAllowed, has(fits)]).toEqual([six, isAllowed, true]);
      }
  });
});

test('the demo decides the same calls where nothing can be enforced', async () => {
  const { status, text } = await run('--simulate');
  expect(text).toContain('Nothing is enforced, because --simulate is given');
  expect(text).toContain(`${summary} simulated`);
  expect(text).toContain('all as expected');
  expect(text.split('\n').filter((line) => line.length > 100)).toEqual([]);
  expect(status).toBe(0);
});

describeKernel('the demo', () => {
  test('makes its calls, and leaves nothing behind', async () => {
    const { status, text } = await run();
    expect(text).toContain(`${summary} made`);
    expect(text).toContain('all as expected');
    expect(status).toBe(0);
    const name = `sockfilter-demo-${process.pid}`;
    expect(existsSync(join(cgroupMount() ?? '/', name))).toBe(false);
    const pins = '/sys/fs/bpf/sockfilter';
    const escaped = name.replaceAll('-', '\\x2d');
    expect(existsSync(pins) ? readdirSync(pins) : []).not.toContain(escaped);
  });
});

describe('the report', () => {
  const [call] = CALLS.filter(({ expected }) => expected === SILENCE);
  const row = (got: string): Row[] => (call ? [{ call, got, rule: '-P ACCEPT ACCEPT' }] : []);
  const plain = new Painter(false);

  test('says what differs', () => {
    expect(printTable(row('ok'), plain)).toMatch(/silence +ok +DIFFERS/);
    expect(printTable(row(SILENCE), plain)).not.toContain('DIFFERS');
    expect(printSummary(row('ok'), 'made', plain)).toContain('1 not as expected');
  });

  test('has colours only when asked', () => {
    expect(printTable(row('ok'), plain)).not.toContain('\x1b');
    expect(printTable(row('ok'), new Painter(true))).toContain('\x1b[31m');
  });
});
