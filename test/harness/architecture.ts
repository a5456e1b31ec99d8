/** Which package may import which, and what only some of them may: the graph that the documents draw. */
import type { Architecture } from './imports.js';

export const ARCHITECTURE: Architecture = {
  arrows: {
    table: [],
    language: ['table'],
    iptables: ['table', 'language'],
    'nftables-json': [],
    nftables: ['table', 'language', 'iptables'],
    interop: ['table', 'language', 'iptables'],
    diagram: ['table'],
    bpf: [],
    events: ['table', 'diagram', 'bpf'],
    kernel: ['table', 'diagram', 'bpf', 'events'],
    policy: ['table', 'language', 'diagram'],
    cli: 'everything',
    playground: ['table', 'language', 'iptables', 'policy'],
    vscode: [],
  },
  entries: ['@sockfilter/policy/words'],
  restricted: {
    koffi: ['bpf'],
    'jsonc-parser': ['nftables'],
    yargs: ['cli'],
    zod: ['cli', 'policy', 'nftables-json'],
    'nftables-json': ['nftables', 'interop'],
    yaml: ['cli', 'policy', 'interop'],
    vscode: ['vscode'],
    'vscode-languageclient': ['vscode'],
    'vscode-languageserver': ['cli'],
  },
  commands: ['cli'],
  anywhere: ['table', 'language', 'iptables', 'diagram', 'policy', 'playground'],
};
