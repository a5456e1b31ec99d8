/** A process that changes the table in force as commands do, and that can die at any step of it. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { linux } from '@sockfilter/bpf';
import { parseSave, printSave } from '@sockfilter/iptables';
import { Firewall } from '@sockfilter/kernel';
import { NO_NAMES } from '@sockfilter/language';
import { counterOwners, EMPTY_TABLE, type Table } from '@sockfilter/table';
import { type AdministratorQuestion, answerLines } from './messages.js';

/** What the process has done that another can see. */
let steps = 0;
let dieAt = 0;

function step(): void {
  steps += 1;
  if (steps === dieAt) process.kill(process.pid, 'SIGKILL');
}

/**
 * Commands of bpf(2) that only look: lookups, BPF_MAP_GET_NEXT_KEY, BPF_OBJ_GET, ids, information and
 * queries. Between two of them there is nothing to interrupt.
 */
const LOOKING: ReadonlySet<unknown> = new Set([1, 4, 7, 11, 12, 13, 14, 15, 16, 24, 30, 31]);

const call = linux.call.bind(linux);
linux.call = (name, ...args) => {
  if (name !== 'bpf' || !LOOKING.has(args[0])) step();
  return call(name, ...args);
};
const { mkdirSync, renameSync, rmSync, rmdirSync, writeFileSync } = fs;
Object.assign(fs, {
  mkdirSync: (...args: Parameters<typeof mkdirSync>) => {
    step();
    return mkdirSync(...args);
  },
  renameSync: (...args: Parameters<typeof renameSync>) => {
    step();
    renameSync(...args);
  },
  rmSync: (...args: Parameters<typeof rmSync>) => {
    step();
    rmSync(...args);
  },
  rmdirSync: (...args: Parameters<typeof rmdirSync>) => {
    step();
    rmdirSync(...args);
  },
  writeFileSync: (...args: Parameters<typeof writeFileSync>) => {
    step();
    writeFileSync(...args);
  },
});
syncBuiltinESMExports();

function tableOf(text: string): Table {
  const { table, diagnostics } = parseSave(text, 'rules', { names: NO_NAMES, base: EMPTY_TABLE });
  if (diagnostics.length > 0) throw new Error(diagnostics.map((d) => d.message).join('\n'));
  return table;
}

/** How many steps the body takes; the process dies at that of the number. */
function countSteps(number: number | undefined, body: () => unknown): number {
  steps = 0;
  dieAt = number ?? 0;
  body();
  return steps;
}

/** Numbers of the counters by the place of what they count. */
function counterPlaces(table: Table): ReadonlyMap<string, number> {
  return new Map(
    counterOwners(table).map(({ chain, rule, number }, n) => [
      `${chain.name} ${rule ? number : 'policy'}`,
      n,
    ]),
  );
}

function withFirewall<T>(root: string, body: (firewall: Firewall) => T): T {
  const firewall = Firewall.open({ root, wait: Number.POSITIVE_INFINITY, parse: tableOf });
  try {
    return body(firewall);
  } finally {
    firewall.close();
  }
}

function replace(firewall: Firewall, table: Table, confirmWithin?: number): void {
  const old = firewall.read();
  const places = old ? counterPlaces(tableOf(old.text)) : new Map<string, number>();
  const origins = [...counterPlaces(table).keys()].map((place) => places.get(place));
  const trial = confirmWithin === undefined ? {} : { confirmWithin };
  firewall.commit({ table, text: printSave(table), origins, ...trial });
}

function append(root: string, port: number): void {
  withFirewall(root, (firewall) => {
    const base = tableOf(firewall.read()?.text ?? '*socket\nCOMMIT\n');
    const rule = tableOf(`*socket\n-A CONNECT -p udp --dport ${port} -j DROP\nCOMMIT\n`);
    const chains = base.chains.map((chain, n) => ({
      ...chain,
      rules: [...chain.rules, ...(rule.chains[n]?.rules ?? [])],
    }));
    replace(firewall, { ...base, chains });
  });
}

answerLines((question: AdministratorQuestion) => {
  const { root } = question;
  switch (question.do) {
    case 'loop': {
      const tables = question.texts.map(tableOf);
      for (;;) for (const table of tables) withFirewall(root, (f) => replace(f, table));
    }
    case 'replace': {
      const table = question.text === undefined ? undefined : tableOf(question.text);
      const { confirmWithin } = question;
      return countSteps(question.dieAt, () =>
        withFirewall(root, (f) => (table ? replace(f, table, confirmWithin) : f.teardown())),
      );
    }
    case 'confirm':
    case 'abort':
      return countSteps(question.dieAt, () => withFirewall(root, (f) => f[question.do]()));
    case 'append':
      for (let n = 0; n < question.times; n++) append(root, question.port + n);
      return question.times;
    case 'cycle': {
      const table = tableOf(question.text);
      for (let n = 0; n < question.times; n++) {
        withFirewall(root, (f) => replace(f, table));
        withFirewall(root, (f) => f.teardown());
      }
      return question.times;
    }
  }
});
