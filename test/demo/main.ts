/**
 * The demo: rules/demo.rules in force, real programs in its groups, real calls, and what each came to
 * beside what it should. Where nothing can be enforced the same calls are decided from the file.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { kernelMissing } from '../harness/kernel.js';
import { CALLS } from './calls.js';
import { type Run, Sockfilter } from './command.js';
import { Machine } from './machine.js';
import { differs, Painter, printSummary, printTable, type Row } from './report.js';

const RULES = 'rules/demo.rules';
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
/** Commands at a time: starting Node is most of what they cost. */
const AT_A_TIME = 4;

const say = (text: string) => process.stdout.write(text);

/** Runs the work on all items, a few at a time, and keeps their order. */
async function mapSome<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = [...items.entries()];
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift())
      results[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  return results;
}

async function simulate(repository: string, run: Run | undefined): Promise<readonly Row[]> {
  const sockfilter = new Sockfilter(repository, { SOCKFILTER_FILE: join(repository, RULES) }, run);
  return mapSome(CALLS, async (call) => {
    const { outcome, rule } = await sockfilter.explain(call);
    return { call, got: outcome, rule };
  });
}

async function enforce(repository: string, machine: Machine): Promise<readonly Row[]> {
  await machine.open(readFileSync(join(repository, RULES), 'utf8'));
  const made = [];
  for (const call of CALLS) made.push({ call, got: await machine.make(call) });
  return mapSome(made, async ({ call, got }) => {
    const { rule } = await machine.sockfilter.explain(call);
    return { call, got, rule };
  });
}

/** Enforces on this machine and removes every trace, also after a failure or a signal. */
async function onThisMachine(repository: string, run: Run | undefined): Promise<readonly Row[]> {
  await Machine.clean(repository, run);
  const machine = new Machine(repository, run);
  const stop = (signal: keyof typeof SIGNALS) => {
    process.stderr.write(`\n${signal}: removing what the demo has set up\n`);
    machine
      .close()
      .catch((error: unknown) => process.stderr.write(`${String(error)}\n`))
      .finally(() => process.exit(128 + SIGNALS[signal]));
  };
  process.once('SIGHUP', stop).once('SIGINT', stop).once('SIGTERM', stop);
  try {
    return await enforce(repository, machine);
  } finally {
    await machine.close();
    process.off('SIGHUP', stop).off('SIGINT', stop).off('SIGTERM', stop);
  }
}

/** Runs the demo; the exit status. `--simulate` enforces nothing, whatever the machine can do. */
export async function demo(
  repository: string,
  args: readonly string[],
  run?: Run,
): Promise<number> {
  const painter = new Painter(process.stdout.isTTY === true && !process.env.NO_COLOR);
  const reason = args.includes('--simulate') ? '--simulate is given' : kernelMissing();
  if (reason === undefined)
    say(`Enforcing ${RULES} in a control group and a network namespace of the demo's own.\n\n`);
  else say(`Nothing is enforced, because ${reason}; ${RULES} decides the same calls.\n\n`);
  let rows: readonly Row[];
  try {
    rows = await (reason === undefined
      ? onThisMachine(repository, run)
      : simulate(repository, run));
  } catch (error) {
    process.stderr.write(
      `the demo could not be finished: ${error instanceof Error ? error.message : error}\n`,
    );
    return 1;
  }
  say(`${printTable(rows, painter)}\n`);
  say(printSummary(rows, reason === undefined ? 'made' : 'simulated', painter));
  return rows.some(differs) ? 1 : 0;
}
