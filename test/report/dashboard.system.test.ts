/** The live page in a real browser, with real calls that are refused. */
import { type ChildProcess, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { ended, Workplace } from '../cli/command.js';
import type { Caller } from '../harness/caller.js';
import { describeKernel } from '../harness/kernel.js';
import { Testbed } from '../harness/testbed.js';
import { Browser, describeBrowser } from './browser.js';

/** A program with a name that a terminal and a page would obey: it is refused. */
const EVIL = `
require('node:fs').writeFileSync('/proc/self/comm', '<img src=\\u001b[3');
const socket = require('node:dgram').createSocket('udp4');
socket.on('error', () => socket.close());
socket.connect(80, '10.9.9.6');`;

describeBrowser('the live page', (program) => {
  describeKernel('of real calls', () => {
    let bed: Testbed;
    let place: Workplace;
    let browser: Browser;
    let web: Caller;
    let server: ChildProcess;
    let done: ReturnType<typeof ended>;
    let address: URL;
    beforeAll(async () => {
      bed = await Testbed.create();
      place = new Workplace({ SOCKFILTER_ROOT: bed.cgroups.path });
      place.write(
        'web.rules',
        `*socket
-G web --id 3 --path ${bed.cgroups.path}/web
-A CONNECT -d 10.9.9.8/32 -j ACCEPT
-A CONNECT -d 10.9.9.0/24 -p udp -j DROP
COMMIT
`,
      );
      place.expectStatus(['restore', '--label', 'first', 'web.rules'], 0);
      web = await bed.caller('web');
      server = place.start(['dashboard', '--listen', '127.0.0.1:0']);
      done = ended(server);
      const said = await new Promise<string>((resolve) => {
        server.stdout?.once('data', (piece) => resolve(String(piece)));
      });
      address = new URL(/http:\S+/.exec(said)?.[0] ?? '');
      browser = new Browser(program);
    });
    afterAll(async () => {
      await browser?.close();
      server?.kill('SIGKILL');
      place?.run(['teardown']);
      await bed?.close();
      place?.remove();
    });

    const connect = async (to: string) => {
      const fd = await web.socket('inet', 'dgram');
      const outcome = await web.connect(fd, { address: to, port: 80 });
      await web.close(fd);
      return outcome;
    };

    /** Waits until the expression holds in the page; how long that took. */
    async function until(expression: string, most = 10_000): Promise<number> {
      const start = performance.now();
      while (!(await browser.evaluate(expression))) {
        const now = await browser.evaluate('document.body.innerText');
        if (performance.now() - start > most) throw new Error(`${expression} is not so: ${now}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return performance.now() - start;
    }

    const FEED = `document.getElementById('feed').innerText`;
    const PANEL = `(({ hidden, innerText }) => hidden ? '' : innerText)(document.getElementById('panel'))`;

    test('a refusal is there within a second, opens its rule, and proposes one', async () => {
      const log = await browser.open(address.href);
      await until(`document.getElementById('state').textContent === 'live'`);
      await connect('10.9.9.7');
      await until(`${FEED}.includes('10.9.9.7')`);
      const times: number[] = [];
      for (let n = 10; n < 15; n++) {
        expect(await connect(`10.9.9.${n}`)).toBe('EPERM');
        times.push(await until(`${FEED}.includes('10.9.9.${n}')`));
      }
      expect(times.toSorted((a, b) => a - b)[2]).toBeLessThan(1000);
      await until(`document.querySelectorAll('#matrix button').length === 6`);
      await until(`document.getElementById('counters').innerText.includes('CONNECT 2')`);
      await browser.click('#feed tr:last-child button');
      await until(`${PANEL}.includes('A rule that would')`);
      const text = String(await browser.evaluate(PANEL));
      const saved = place.expectStatus(['save'], 0).stdout.split('\n');
      const line = saved.indexOf('-A CONNECT -d 10.9.9.0/24 -p udp -j DROP') + 1;
      expect(text).toContain(`rule 2 of CONNECT, line ${line} of sockfilter save`);
      expect(text).toContain('-A CONNECT -d 10.9.9.0/24 -p udp -j DROP');
      expect(text).toContain('CONNECT 1: not the destination');
      const proposal = String(
        await browser.evaluate(`document.getElementById('proposal').textContent`),
      );
      expect(proposal).toBe(
        'sockfilter -I CONNECT 2 -m cgroup --id 3 -d 10.9.9.7/32 -p udp --dport 80 -j ACCEPT',
      );
      expect(await connect('10.9.9.7')).toBe('EPERM');
      place.expectStatus(proposal.split(' ').slice(1), 0);
      // Allowed: there is no way to that address.
      expect(await connect('10.9.9.7')).toBe('ENETUNREACH');
      expect(log.faults).toEqual([]);
      const asked = new Set(log.requests.map((url) => new URL(url).origin));
      expect([...asked]).toEqual([address.origin]);
    }, 60_000);

    test('the keyboard opens and closes, the filter narrows, and a cell filters', async () => {
      await browser.press('Escape');
      expect(await browser.evaluate(PANEL)).toBe('');
      expect(await browser.evaluate(`document.activeElement.dataset.number`)).toBe('1');
      await browser.press('Enter');
      await until(`${PANEL}.includes('Decided by')`);
      await browser.press('Escape');
      await browser.click('#filter');
      await browser.type('10.9.9.12');
      expect(await browser.evaluate(`document.querySelectorAll('#feed tr').length`)).toBe(1);
      await browser.evaluate(`document.querySelector('#matrix button').focus()`);
      await browser.press('Enter');
      expect(await browser.evaluate(`document.getElementById('filter').value`)).toMatch(/^udp 10/);
    }, 60_000);

    test('who talks to whom is drawn, and a line filters', async () => {
      await until(`document.querySelectorAll('#talk a').length === 6`);
      const label = 'CONNECT: web (3) to udp 10.9.9.12:80: 1 refused';
      const line = `document.querySelector('#talk a[aria-label="${label}"]')`;
      expect(await browser.evaluate(`${line}.getAttribute('class')`)).toBe('R');
      await browser.evaluate(`${line}.focus()`);
      await browser.press('Enter');
      expect(await browser.evaluate(`document.getElementById('filter').value`)).toBe(
        'udp 10.9.9.12:80',
      );
      const names = `[...document.querySelectorAll('#talk .name')].map((name) => name.textContent)`;
      expect(await browser.evaluate(names)).toEqual(['web (3)']);
    }, 60_000);

    test('hundreds of refusals one after the other are all counted, and the page still answers', async () => {
      const REFUSALS = 400;
      const tile = `Number(document.getElementById('refused').textContent.replaceAll(',', ''))`;
      // What the page says comes a while after the calls: this one is the last of those before.
      await connect('10.9.9.15');
      await until(`document.getElementById('matrix').innerText.includes('10.9.9.15')`);
      const before = Number(await browser.evaluate(tile));
      for (let n = 0; n < REFUSALS; n++) await connect('10.9.9.12');
      expect(await until(`${tile} === ${before + REFUSALS}`)).toBeLessThan(5000);
      expect(await until(`document.getElementById('state').textContent === 'live'`)).toBeLessThan(
        1000,
      );
    }, 60_000);

    test('what others have written is text, and the token is needed', async () => {
      await browser.open(address.href);
      await until(`document.getElementById('state').textContent === 'live'`);
      const script = 'echo $$ > "$0/cgroup.procs" && exec nsenter --net="$1" "$2" -e "$3"';
      const words = [bed.cgroups.child('web'), bed.network.path, process.execPath, EVIL];
      expect(spawnSync('sh', ['-c', script, ...words]).status).toBe(0);
      await until(`${FEED}.includes('10.9.9.6')`);
      expect(await browser.evaluate(FEED)).toContain('<img src=\\u{1b}[3');
      expect(await browser.evaluate('document.images.length')).toBe(0);
      expect((await fetch(address.origin)).status).toBe(403);
      expect((await fetch(new URL('/events?token=x', address))).status).toBe(403);
      expect((await fetch(address, { method: 'POST' })).status).toBe(405);
      const { headers } = await fetch(address);
      expect(headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; script-src 'sha256-/,
      );
      const rules = await fetch(new URL(`/rules${address.search}`, address));
      expect([rules.status, await rules.text()]).toEqual([
        200,
        expect.stringContaining('Which calls are accepted'),
      ]);
      place.expectStatus(['dashboard', '--listen', '0.0.0.0:0'], 2);
    }, 60_000);

    test('axe finds nothing, on a desk and on a phone, in light and dark', async () => {
      const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
      await browser.open(address.href);
      await until(`document.querySelectorAll('#matrix button').length > 0`);
      await connect('10.9.9.9');
      await until(`document.querySelectorAll('#feed button').length > 0`);
      await browser.evaluate(`(() => { ${axe} })()`);
      for (const [scheme, size] of [
        ['light', [1366, 800]],
        ['dark', [390, 844]],
      ] as const) {
        await browser.screenshot(scheme, size);
        const found = await browser.evaluate(
          `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]))`,
        );
        expect(found).toEqual([]);
      }
    }, 60_000);

    test('it ends with a signal, and leaves no reader', async () => {
      server.kill('SIGTERM');
      expect(await done).toMatchObject({ status: 0, stderr: '' });
    }, 60_000);
  });
});
