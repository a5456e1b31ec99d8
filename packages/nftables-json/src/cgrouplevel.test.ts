/** Levels of control groups, from text to text. */
import { readCgroupLevels } from './cgrouplevel.js';
import type { Rule } from './object.js';
import { printRule } from './print.js';

const cgroup = (path: string) => ({
  match: { op: '==' as const, left: { socket: { key: 'cgroupv2' } }, right: path },
});
const rule = (handle: number, ...expr: NonNullable<Rule['expr']>) => ({
  rule: { family: 'inet' as const, table: 't', chain: 'c', handle, expr },
});

const TEXT = `table inet other { # handle 1
	chain c { # handle 1
		socket cgroupv2 level 9 "x" accept # handle 3
	}
}
table inet t { # handle 2
	chain c { # handle 1
		type filter hook input priority filter; policy accept;
		socket cgroupv2 level 2 "a/b" socket cgroupv2 level 1 "a" accept # handle 3
		accept comment "socket cgroupv2 level 7" # handle 4
		socket cgroupv2 . tcp dport vmap { "a" . 1 : accept } # handle 5
	}
}
`;

test('are those of the rule with the handle, in their order', () => {
  const document = {
    nftables: [
      { table: { family: 'inet' as const, name: 't' } },
      rule(3, cgroup('a/b'), cgroup('a'), { accept: null }),
      rule(4, cgroup('a'), { accept: null }),
    ],
  };
  const { nftables } = readCgroupLevels(document, TEXT);
  const printed = nftables.flatMap((item) => ('rule' in item ? printRule(item.rule) : []));
  expect(printed).toEqual([
    'socket cgroupv2 level 2 "a/b" socket cgroupv2 level 1 "a" accept',
    'socket cgroupv2 "a" accept',
  ]);
  expect(document.nftables[1]).toEqual(rule(3, cgroup('a/b'), cgroup('a'), { accept: null }));
});
