/** iptables' own parse vectors, with its chains mapped to ours. */
import { readFileSync } from 'node:fs';
import { parseCommand, parseSave, printRule } from '@sockfilter/iptables';
import { readNames } from '@sockfilter/language';
import { describeVectors } from '../harness/vectors.js';

const CHAINS: Readonly<Record<string, readonly string[]>> = {
  INPUT: ['ACCEPT', 'RECVFROM'],
  OUTPUT: ['CONNECT', 'SENDTO'],
  FORWARD: ['BIND', 'CONNECT'],
  POSTROUTING: ['CONNECT', 'SENDTO'],
};

const TWO_DEVICES = 'no call both comes in by a device and goes out by one';
const UNSEEN = 'the hooks see no sctp and dccp sockets';

/** Why lines that iptables takes make no sense for socket calls; each is a start of lines. */
const REFUSED: Readonly<Record<string, string>> = {
  '-i eth+ -o ': TWO_DEVICES,
  '--protocol=tcp --source=1.2.3.4 --destination=5.6.7.8/32 --in-interface': TWO_DEVICES,
  '-ptcp -s1.2.3.4 -d5.6.7.8/32 -ieth0': TWO_DEVICES,
  '-m cgroup --cgroup ': 'net_cls class ids are cgroup v1; we match network_ids',
  '-m cgroup ! --cgroup ': 'net_cls class ids are cgroup v1; we match network_ids',
  '-p sctp ': UNSEEN,
  '-p dccp ': UNSEEN,
  '-m owner --socket-exists': 'every socket call has a socket',
  '-m owner --gid-owner 0-10 --suppl-groups': 'the hooks see no supplementary groups',
};

/** Lines that iptables refuses and we take, with the reason. */
const TAKEN: Readonly<Record<string, string>> = {
  '-m owner --uid-owner root': "ACCEPT and RECVFROM know the socket owner's uid",
};

const names = readNames({ passwd: 'root:x:0:0:', group: 'root:x:0:' });

function fromSaveLine(chain: string, rule: string): string | undefined {
  const save = parseSave(`*socket\n-A ${chain} ${rule}\nCOMMIT\n`, 'vector', { names });
  const made = save.table.chains.find(({ name }) => name === chain)?.rules[0];
  return save.diagnostics.length > 0 || !made ? undefined : printRule(chain, made);
}

function fromArgv(chain: string, rule: string): string | undefined {
  const words = [...rule.matchAll(/"([^"]*)"|(\S+)/g)].map(
    ([, quoted, bare]) => quoted ?? bare ?? '',
  );
  const { command } = parseCommand(['-A', chain, ...words], { names, groups: [] });
  const made = command?.kind === 'append' ? command.rules[0] : undefined;
  return made && printRule(chain, made);
}

const find = (list: Readonly<Record<string, string>>, line: string) =>
  Object.keys(list).find((start) => line.startsWith(start));

describeVectors({ folder: 'iptables', ending: '.t' }, (path) => {
  let chains: readonly string[] = [];
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line.startsWith(':')) {
      const named = line.slice(1).split(',');
      chains = [...new Set(named.flatMap((name) => CHAINS[name] ?? []))];
    }
    if (line === '' || /^[:*#]/.test(line)) continue;
    const [rule = '', form = '', result] = line.split(';');
    const wanted = (form === '=' ? rule : form).trim();
    const on = chains;
    test(line, () => {
      for (const read of [fromSaveLine, fromArgv]) {
        const got = on.map((chain) => read(chain, rule)?.slice(`-A ${chain} `.length));
        const accepted = got.filter((text) => text !== undefined);
        if (result === 'FAIL') {
          if (find(TAKEN, rule) === undefined) expect(accepted).toEqual([]);
        } else if (find(REFUSED, rule) !== undefined) expect(accepted).toEqual([]);
        else {
          expect(accepted.length).toBeGreaterThan(0);
          expect(new Set(accepted)).toEqual(new Set([wanted]));
        }
      }
    });
  }
});
