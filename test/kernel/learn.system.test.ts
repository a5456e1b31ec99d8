/** A policy from what a service really does: a server and its client, learned live, then held to it. */
import { spawnSync } from 'node:child_process';
import { ended, Workplace } from '../cli/command.js';
import { describeKernel } from '../harness/kernel.js';
import { Testbed } from '../harness/testbed.js';

const CHAINS = ['BIND', 'ACCEPT', 'CONNECT', 'SENDTO', 'RECVFROM'] as const;

/** A server of HTTP, a client that asks it three times, and a datagram each way. */
const WORKLOAD = `
const { createServer } = require('node:http');
const { createSocket } = require('node:dgram');
const { once } = require('node:events');
(async () => {
  const server = createServer((_, response) => response.end('hello')).listen(7300, '127.0.0.1');
  await once(server, 'listening');
  for (let n = 0; n < 3; n++) {
    const text = await (await fetch('http://127.0.0.1:7300/', { headers: { connection: 'close' } })).text();
    if (text !== 'hello') throw new Error(text);
  }
  server.close();
  const names = createSocket('udp4').bind(7353, '127.0.0.1');
  await once(names, 'listening');
  names.on('message', (message, { port, address }) => names.send(message, port, address));
  const client = createSocket('udp4');
  client.send('name?', 7353, '127.0.0.1');
  await once(client, 'message');
  client.close();
  names.close();
})();`;

describeKernel('learn', () => {
  let bed: Testbed;
  let place: Workplace;
  let folder: string;
  beforeAll(async () => {
    bed = await Testbed.create();
    place = new Workplace({ SOCKFILTER_ROOT: bed.cgroups.path });
    folder = bed.cgroups.child('web');
    const audited = CHAINS.map((chain) => `-P ${chain} DROP --audit`).join('\n');
    place.write(
      'audit.rules',
      `*socket\n-G web --id 3 --path ${bed.cgroups.path}/web\n${audited}\nCOMMIT\n`,
    );
    place.expectStatus(['restore', 'audit.rules'], 0);
  });
  afterAll(async () => {
    place?.run(['teardown']);
    await bed?.close();
    place?.remove();
  });

  function work(): void {
    const script = 'echo $$ > "$0/cgroup.procs" && exec nsenter --net="$1" "$2" -e "$3"';
    const words = ['-c', script, folder, bed.network.path, process.execPath, WORKLOAD];
    const { status, stderr } = spawnSync('sh', words, { encoding: 'utf8', timeout: 20_000 });
    expect([status, stderr]).toEqual([0, '']);
  }

  /** What `learn` says of the workload while it listens. */
  async function learned(words: readonly string[]) {
    const child = place.start(['learn', '--live', '--group', 'web', ...words]);
    const done = ended(child);
    await new Promise<void>((resolve) => {
      let said = '';
      child.stderr?.on('data', (piece) => {
        said += piece;
        if (said.includes('listening until')) resolve();
      });
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    work();
    await new Promise((resolve) => setTimeout(resolve, 300));
    child.kill('SIGINT');
    return done;
  }

  test('a file that was learned is clean, and enforced it refuses nothing of the same work', async () => {
    const { status, stdout } = await learned([]);
    expect(status).toBe(0);
    expect(stdout).toContain(
      '-A web-connect -d 127.0.0.0/8 -p tcp -m tcp --dport 7300 -m comment --comment "seen 3 times" -j ACCEPT',
    );
    place.write('web.rules', stdout);
    place.expectStatus(['check', 'web.rules'], 0);
    place.expectStatus(['restore', 'web.rules'], 0);
    work();
    const drops = place.expectStatus(['save', '-c'], 0).stdout.match(/^.* -j DROP$/gm) ?? [];
    expect(drops).toHaveLength(CHAINS.length);
    expect(drops.filter((line) => !line.startsWith('[0:0]'))).toEqual([]);
    place.expectStatus(['explain', '--last'], 1);
    const again = await learned(['--into', 'web.rules']);
    expect([again.status, again.stdout]).toEqual([0, '']);
    expect(again.stderr).toContain('accepts all that was seen');
  });
});
