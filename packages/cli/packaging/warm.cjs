/**
 * `node warm.cjs DIST OUT`: runs what every command needs and no more (what is kept has to be read at each start), and keeps what V8 has compiled of each file of DIST as
 * FILE.cache in OUT. By the node that will run them: V8 takes nothing that another version or other flags have made.
 */
const { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { basename, join } = require('node:path');
const { compilePart, runPart } = require('./part.cjs');

const [, , dist, out] = process.argv;
const RULES = `*socket
:BIND DROP [0:0]
-G web --id 3 --path /web.slice
-N own
-A BIND -m cgroup --id 3 -d 10.0.0.0/8 -p tcp --dport 80:90 -m comment --comment "web" -j ACCEPT
-A CONNECT -m owner --uid-owner 1000 -j REJECT --reject-with EACCES
-A CONNECT ! -d 10.0.0.0/8 -p udp -m multiport --dports 53,5353 -j own
-A own -d ::1 -j RETURN
COMMIT
`;
const scripts = new Map();
const loaded = new Map();

function requirePart(name) {
  if (!name.startsWith('./')) return require(name);
  const part = basename(name);
  if (!scripts.has(part)) {
    const script = compilePart(join(dist, part), readFileSync(join(dist, part), 'utf8'));
    scripts.set(part, script);
    loaded.set(part, runPart(script, join(dist, part), requirePart));
  }
  return loaded.get(part);
}

async function run() {
  const folder = mkdtempSync(join(tmpdir(), 'sockfilter-warm-'));
  process.chdir(folder);
  writeFileSync('web.rules', RULES);
  const { main } = requirePart('./main.cjs');
  try {
    for (const words of ['--version', '--file web.rules -S']) await main(words.split(' '));
  } finally {
    process.chdir('/');
    rmSync(folder, { recursive: true });
  }
  for (const part of readdirSync(dist).filter((name) => name.endsWith('.cjs'))) {
    requirePart(`./${part}`);
    const data = scripts.get(part).createCachedData();
    const again = compilePart(part, readFileSync(join(dist, part), 'utf8'), data);
    if (again.cachedDataRejected) throw new Error(`what V8 keeps of ${part} is of no use to it`);
    writeFileSync(join(out, `${part}.cache`), data);
  }
  process.exitCode = 0;
}

run();
