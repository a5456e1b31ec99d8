/**
 * What sockfilter costs, beside a floor or a peer measured in the same run: `npm run bench [NAME...]`.
 *
 *     calls     a call with N rules in force: no hook, sockfilter, iptables, nft
 *     keys      a connect(2) to one of 100,000 peers, to all at random, of IPv6, by eight at once: beside one hash look-up
 *     load      a whole command that loads N rules, or adds one to them
 *     edits     an edit of one rule in large tables, beside the same in one of ten rules: processor time
 *     editors   eight who edit one table at once, and wait for each other
 *     sizes     commands at 1,000, 10,000 and 100,000 rules in three layouts: processor time, and memory
 *     startup   commands that touch no kernel, and node by itself
 *     compile   text -> table -> diagram -> nodes, in process
 *     ci        check, diff and query of large rule sets, and the memory that they take
 *     unseen    raw sends, and what hooks of all packets and all sockets cost others
 *     rewritten DNAT, ranges, the hooks that tell the peer asked for, and sets that count
 *     events    what a report of a refusal costs, how fast it is seen, and how many are
 *     page      a page of 500 groups in headless Chromium, beside an empty one
 *
 * `calls`, `keys`, `unseen`, `rewritten`, `events`, `edits`, `editors` and the live half of `load` need root; the peers are left out where they are not installed.
 */
import { callsBench } from './calls.js';
import { ciBench } from './ci.js';
import { loadBench, startupBench } from './commands.js';
import { compileBench } from './compile.js';
import { editorsBench } from './editors.js';
import { editsBench } from './edits.js';
import { eventsBench } from './events.js';
import { keysBench } from './keys.js';
import { pageBench } from './page.js';
import { rewrittenBench } from './rewritten.js';
import { sizesBench } from './sizes.js';
import { unseenBench } from './unseen.js';

const BENCHES = {
  startup: startupBench,
  sizes: sizesBench,
  compile: compileBench,
  ci: ciBench,
  page: pageBench,
  load: loadBench,
  edits: editsBench,
  editors: editorsBench,
  calls: callsBench,
  keys: keysBench,
  unseen: unseenBench,
  rewritten: rewrittenBench,
  events: eventsBench,
};

const names = process.argv.slice(2);
const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0) {
  console.error(`no bench ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}`);
  process.exit(2);
}
for (const [name, bench] of Object.entries(BENCHES)) {
  if (names.length > 0 && !names.includes(name)) continue;
  console.log(`\n${name}`);
  await bench();
}
