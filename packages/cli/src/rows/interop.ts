/** Commands that make rules of something else, or something else of rules. */
import type { CommandRow } from './row.js';

export const INTEROP_ROWS: readonly CommandRow[] = [
  {
    words: 'learn',
    describe: 'make a rule file that allows the calls that events tell of',
    args: [{ name: 'events', filler: 'file', optional: true, many: true }],
    options: {
      group: 'text',
      rules: 'file',
      prefix: 'text',
      prefix6: 'text',
      for: 'text',
      live: 'flag',
      into: 'output',
      write: 'flag',
    },
    scope: 'table',
    examples: [
      'learn events.jsonl',
      'learn --into web.rules events.jsonl',
      'learn --group web --prefix 24 --rules web.rules events.jsonl',
    ],
  },
  {
    words: 'import',
    describe: 'make a rule file of the rules of iptables, nft, systemd or Kubernetes',
    args: [{ name: 'files', filler: 'file', many: true }],
    options: {
      from: ['iptables-save', 'nft-json', 'systemd-unit', 'networkpolicy'],
      'chain-map': 'text',
      group: 'text',
      path: 'text',
      id: 'text',
      pods: 'file',
      tests: 'output',
      report: 'output',
    },
    scope: 'files',
    examples: [
      'import --from iptables-save dump > host.rules',
      'import --from nft-json ruleset.json --chain-map input=ACCEPT:RECVFROM',
      'import --from systemd-unit nginx.service --tests nginx.test.yaml',
      'import --from networkpolicy policy.yaml --pods pods.yaml',
    ],
  },
  {
    words: 'export',
    describe: 'print a table for nft, or as JSON for other tools',
    args: [{ name: 'rules', filler: 'file', optional: true }],
    options: { to: ['nft', 'json'], report: 'output' },
    scope: 'table',
    examples: ['export --to nft web.rules > web.nft', 'export --to json web.rules'],
  },
];
