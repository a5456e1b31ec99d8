/** What a call costs with N rules in force. The floor is the same call with no hook at all. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseSave } from '@sockfilter/iptables';
import { Firewall } from '@sockfilter/kernel';
import { NO_NAMES } from '@sockfilter/language';
import { median, printTable } from './figures.js';
import { isInstalled, run, withPlace } from './place.js';
import { iptablesRules, nftMap, nftRules, sockfilterRules } from './rules.js';

const CALLS = 20_000;
const ROUNDS = 6;
const CALLER = fileURLToPath(new URL('./caller.js', import.meta.url));

/** Starts the program that makes the calls, in the place's group and namespace. */
export function startCaller({ directory, netns }) {
  const script = 'echo $$ > "$0/cgroup.procs" && exec ip netns exec "$1" "$2" "$3"';
  const child = spawn('sh', ['-c', script, directory, netns, process.execPath, CALLER], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async time(kind, calls = CALLS, clock = 'wall') {
      child.stdin.write(`${JSON.stringify({ kind, calls, clock })}\n`);
      return JSON.parse((await answers.next()).value);
    },
    async stop() {
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}

function withFirewall(root, body) {
  const firewall = Firewall.open({ root, wait: 60 });
  try {
    return body(firewall);
  } finally {
    firewall.close();
  }
}

export function enforce(root, text) {
  const { table } = parseSave(text, 'rules', { names: NO_NAMES });
  withFirewall(root, (firewall) => firewall.commit({ table, text, origins: [] }));
}

export const teardown = (root) => withFirewall(root, (firewall) => firewall.teardown());

/** One way of filtering: put N rules in force, and take them away. */
const tools = ({ root, netns }) => {
  const inside = (words, input) => run('ip', ['netns', 'exec', netns, ...words], input);
  const nft = (rules) => ({
    needs: 'nft',
    kinds: ['sendto'],
    limit: 10_000,
    start: (count) => inside(['nft', '-f', '-'], rules(count)),
    stop: () => inside(['nft', 'flush', 'ruleset']),
  });
  const iptables = (restore) => ({
    needs: restore,
    kinds: ['sendto'],
    limit: 10_000,
    start: (count) => inside([restore], iptablesRules(count)),
    stop: () => inside([restore], iptablesRules(0)),
  });
  const CHAIN = { connect: 'CONNECT', bind: 'BIND', sendto: 'SENDTO' };
  return {
    sockfilter: {
      needs: 'true',
      kinds: ['connect', 'bind', 'sendto'],
      limit: 100_000,
      start: (count, kind) => enforce(root, sockfilterRules(count, CHAIN[kind])),
      stop: () => teardown(root),
    },
    'iptables-legacy': iptables('iptables-legacy-restore'),
    'iptables-nft': iptables('iptables-nft-restore'),
    'nft, linear': nft(nftRules),
    'nft, verdict map': { ...nft(nftMap), limit: 100_000 },
  };
};

const SIZES = [0, 10, 1000, 10_000, 100_000];

export async function callsBench() {
  await withPlace(async (place) => {
    const caller = startCaller(place);
    try {
      const rows = [];
      for (const [name, tool] of Object.entries(tools(place))) {
        if (!isInstalled(tool.needs)) continue;
        for (const kind of tool.kinds)
          for (const count of SIZES.filter((size) => size <= tool.limit))
            rows.push([name, kind, count, ...(await compare(caller, tool, kind, count))]);
      }
      printTable(['tool', 'call', 'rules', 'floor ns', 'ns', 'added ns', 'ratio'], rows);
    } finally {
      await caller.stop();
    }
  });
}

/** Floor and tool by turns, so that both see the machine's good and bad moments. */
async function compare(caller, tool, kind, count) {
  const floors = [];
  const times = [];
  for (let round = 0; round < ROUNDS; round++) {
    floors.push(await caller.time(kind));
    if (round % 3 === 1) {
      tool.start(count, kind);
      await caller.time(kind);
      for (let n = 0; n < 3; n++) times.push(await caller.time(kind));
      tool.stop();
    }
  }
  const floor = median(floors);
  const time = median(times);
  return [Math.round(floor), Math.round(time), Math.round(time - floor), (time / floor).toFixed(2)];
}
