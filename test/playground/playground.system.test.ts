/** The playground in a real browser, from a file, as somebody without a network has it. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Browser, describeBrowser } from '../report/browser.js';

const TOP = join(__dirname, '../..');

const text = (id: string) => `document.getElementById('${id}').textContent`;

/** Types into a field as a reader does: all of it at once, in the place of what is there. */
const retype = (id: string, value: string) => `(() => {
  const field = document.getElementById('${id}');
  field.value = ${JSON.stringify(value)};
  field.dispatchEvent(new InputEvent('input', { bubbles: true }));
})()`;

/** Waits in the page until it is so; false after ten seconds. */
const until = (condition: string) => `(async () => {
  for (let n = 0; n < 200; n++) {
    if (${condition}) return true;
    await new Promise((done) => setTimeout(done, 50));
  }
  return false;
})()`;

/** Not the page, nor the frame of its report. */
const isForeign = (url: string) => !/^(file:.*playground[.]html|about:)/.test(url);

const UNFILTERED = '*socket\n-A CONNECT -d 10.0.0.5/32 -j DROP\nCOMMIT\n';
const EVIL = `*socket
# </textarea><script>window.harmed = 1</script>
-G x --id 3 --path "/<img src=x onerror='parent.harmed=1'>"
-A BIND -d 10.0.0.5/32 -m cgroup --id 3 -m comment --comment "</script><script>parent.harmed=1</script>" -j DROP
-A BIND -d 10.0.0.5/32 -m cgroup --id 3 -m comment --comment "<img src=x onerror='window.harmed=1'>" -j DROP
COMMIT
`;

describeBrowser('the playground', (program) => {
  let browser: Browser;
  let folder: string;
  let page: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sockfilter-playground-'));
    page = join(folder, 'playground.html');
    execFileSync(process.execPath, [join(TOP, 'packages/playground/build.js'), page]);
    browser = new Browser(program);
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  let log: Awaited<ReturnType<Browser['open']>>;
  const open = async () => {
    log = await browser.open(page);
    await wait(`${text('summary')} !== ''`);
  };
  const wait = async (condition: string) => {
    const isSo = await browser.evaluate(until(condition));
    // What the page complains about says why it is not so.
    expect([condition, isSo, isSo ? [] : log.faults]).toEqual([condition, true, []]);
  };

  test('opens with an example that has an answer to everything, and asks nobody for anything', async () => {
    await open();
    await wait(`${text('explained')}.includes('allowed by rule 1 of lan')`);
    await wait(`${text('regions')}.includes('10.0.0.5')`);
    await wait(`document.querySelector('#report iframe:not(.coming)') !== null`);
    await wait(`location.hash.length > 100`);
    expect(log.faults).toEqual([]);
    expect(log.requests.filter(isForeign)).toEqual([]);
  });

  test('the report is drawn under the policies of both pages', async () => {
    await open();
    await wait(`document.querySelector('#report iframe:not(.coming)') !== null`);
    const frame = `document.querySelector('#report iframe')`;
    expect(await browser.evaluate(`${frame}.getAttribute('sandbox')`)).toBe('allow-scripts');
    // In its sandbox nobody can look at it: the same without one.
    await browser.evaluate(`(() => {
      const frame = document.createElement('iframe');
      frame.id = 'seen';
      frame.srcdoc = ${frame}.srcdoc;
      document.body.append(frame);
    })()`);
    const inside = `document.getElementById('seen').contentDocument`;
    await wait(`${inside}?.querySelectorAll('section[data-chain=BIND] tbody button').length > 0`);
    expect(
      await browser.evaluate(
        `${inside}.querySelector('section[data-chain=BIND] tbody th').textContent`,
      ),
    ).toBe('web (3)');
    expect(log.faults).toEqual([]);
  });

  test('mistakes and findings come while one types, and lead to their places', async () => {
    await open();
    await browser.evaluate(
      retype('rules', '*socket\n-A CONNECT -p tcp --dprot 80 -j DROP\nCOMMIT\n'),
    );
    await wait(`${text('summary')} === '1 mistake'`);
    expect(await browser.evaluate(text('findings'))).toMatch(
      /^2: error SF000: .*--dprot.*--dport/s,
    );
    expect(await browser.evaluate(text('explained'))).toBe('the rules have mistakes');
    expect(await browser.evaluate(`document.querySelector('mark.error').textContent`)).toBe(
      '--dprot',
    );
    await browser.click('#findings button');
    const selected = `((area) => area.value.slice(area.selectionStart, area.selectionEnd))(document.getElementById('rules'))`;
    expect(await browser.evaluate(selected)).toBe('--dprot');
    const twice = UNFILTERED.replace(/^-A.*\n/m, (line) => line + line);
    await browser.evaluate(retype('rules', twice));
    await wait(`${text('findings')}.includes('SF002')`);
    expect(log.faults).toEqual([]);
  });

  test('a call and a region are asked about as on the command line', async () => {
    await open();
    await wait(`${text('explained')} !== ''`);
    await browser.evaluate(retype('rules', UNFILTERED));
    await browser.evaluate(retype('call', 'CONNECT --dst 10.0.0.5:80'));
    await wait(`${text('explained')}.startsWith('refused with EPERM by rule 1 of CONNECT')`);
    await browser.evaluate(
      retype('call', 'sockfilter --file x.rules explain CONNECT --proto tcp --dst [fd00::1]:80'),
    );
    await wait(`${text('explained')}.startsWith('allowed by the policy of CONNECT')`);
    expect(await browser.evaluate(text('explained'))).toContain('rule 1 of CONNECT: not the');
    await browser.evaluate(retype('call', 'CONNECT --dts 10.0.0.5'));
    await wait(`${text('explained')}.includes('did you mean \`--dst\`?')`);
    await browser.evaluate(retype('query', 'refuse --chain CONNECT'));
    await wait(`${text('regions')} === 'CONNECT, to 10.0.0.5'`);
    await browser.evaluate(retype('query', 'refuse --remote 10.0.0.300'));
    await wait(`document.getElementById('regions').className === 'mistake'`);
    expect(log.faults).toEqual([]);
  });

  test('an address that was shared brings the same, and one that is spoilt takes nothing away', async () => {
    await open();
    await wait(`location.hash.length > 100`);
    const first = await browser.evaluate('location.hash');
    await browser.evaluate(retype('rules', UNFILTERED));
    await wait(`location.hash !== ${JSON.stringify(first)}`);
    const shared = String(await browser.evaluate('location.hash'));
    await browser.evaluate(`location.hash = ${JSON.stringify(first)}`);
    await wait(`document.getElementById('rules').value.includes('nginx')`);
    await browser.evaluate(`location.hash = ${JSON.stringify(shared)}`);
    await wait(`document.getElementById('rules').value === ${JSON.stringify(UNFILTERED)}`);
    await browser.evaluate(`location.hash = '#nonsense'`);
    await wait(`${text('summary')}.startsWith('the address holds no rules')`);
    expect(await browser.evaluate(`document.getElementById('rules').value`)).toBe(UNFILTERED);
    await browser.click('#copy');
    await wait(`/^cop(ied|y it from)/.test(${text('copy')})`);
    expect(log.faults).toEqual([]);
  });

  test('text of rules does nothing, and the policy would stop it', async () => {
    await open();
    await browser.evaluate(retype('rules', EVIL));
    await wait(`${text('findings')}.includes('SF002')`);
    await wait(
      `document.querySelector('#report iframe:not(.coming)')?.srcdoc.includes('10.0.0.5')`,
    );
    expect(log.faults).toEqual([]);
    expect(log.requests.filter(isForeign)).toEqual([]);
    await browser.evaluate(
      `document.body.insertAdjacentHTML('beforeend', '<img src="http://192.0.2.1/x" onerror="window.harmed=1">')`,
    );
    await browser.evaluate(`new Promise((done) => setTimeout(done, 200))`);
    expect(await browser.evaluate('typeof window.harmed')).toBe('undefined');
    expect(log.faults.join()).toContain('Content Security Policy');
  });

  test('axe finds nothing, in light and dark, on a desk and on a phone', async () => {
    const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
    await open();
    await wait(`${text('explained')} !== ''`);
    await browser.evaluate(`(() => { ${axe} })()`);
    for (const scheme of ['light', 'dark'] as const)
      for (const size of [
        [1366, 800],
        [390, 844],
      ] as const) {
        await browser.screenshot(scheme, size);
        const found = await browser.evaluate(
          `axe.run({ exclude: ['iframe'] }).then(({ violations }) => violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]))`,
        );
        expect([scheme, size, found]).toEqual([scheme, size, []]);
      }
  });
});
