/** Pages in a real browser. */
import { readFileSync } from 'node:fs';
import { Workplace } from '../cli/command.js';
import { Browser, describeBrowser } from './browser.js';

const EVIL = `</script><script>window.harmed = 1</script><img src=x onerror="window.harmed = 1">`;

const RULES = `*socket
:BIND DROP [0:0]
:CONNECT DROP [0:0]
-G web --id 3 --path "/<b onclick='window.harmed=1'>"
-G db --id 4
# Its own address. ${EVIL}
-A BIND -d 10.0.0.5/32 -p tcp -m tcp --dport 80 -m cgroup --id 3 -m comment --comment "${EVIL.replaceAll('"', '\\"')}" -j ACCEPT
-A CONNECT -d 10.0.0.0/8 -m owner --uid-owner 33 -m cgroup --id 3 -j ACCEPT
-A CONNECT -d 10.0.0.9/32 -m cgroup --id 4 -j ACCEPT
COMMIT
`;

const DESK = [1366, 800] as const;
const PHONE = [390, 844] as const;

/** Words of which a part is on another line, though the whole would fit on one. */
const BROKEN_WORDS = `(() => {
  const broken = [];
  const texts = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    if (text.parentElement.closest('code, [hidden], script') || !text.parentElement.offsetParent) continue;
    for (const { index, 0: word } of text.data.matchAll(/\\S+/g)) {
      const range = document.createRange();
      range.setStart(text, index);
      range.setEnd(text, index + word.length);
      const lines = [...range.getClientRects()];
      const width = lines.reduce((sum, line) => sum + line.width, 0);
      if (lines.length > 1 && width < text.parentElement.getBoundingClientRect().width) broken.push(word);
    }
  }
  return broken;
})()`;

const PANEL = `(({ hidden, innerText }) => hidden ? '' : innerText)(document.getElementById('panel'))`;

describeBrowser('pages in a browser', (program) => {
  let browser: Browser;
  let place: Workplace;

  beforeAll(() => {
    browser = new Browser(program);
    place = new Workplace();
    place.write('web.rules', RULES);
    place.write(
      'new.rules',
      RULES.replace('--dport 80', '--dport 80:81').replace('10.0.0.9/32', '10.0.0.9/31'),
    );
    place.expectStatus(['query', 'accept', 'web.rules', '--report', 'web.html'], 0);
    place.expectStatus(['diff', 'web.rules', 'new.rules', '--report', 'diff.html'], 1);
    const tenants = `${__dirname}/../../rules/tenants.rules`;
    place.expectStatus(['query', 'accept', tenants, '--report', 'tenants.html'], 0);
  });
  afterAll(async () => {
    await browser?.close();
    place?.remove();
  });

  test('a cell opens the rule that decides, with its line and a call', async () => {
    const log = await browser.open(place.path('web.html'));
    await browser.click('section[data-chain=BIND] tbody td:nth-of-type(1) button');
    const text = String(await browser.evaluate(PANEL));
    expect(text).toContain('BIND · web (3) · tcp, to 10.0.0.5 port 80');
    expect(text).toContain('web.rules:7 · rule 1 of BIND · ACCEPT');
    expect(text).toContain('-A BIND -d 10.0.0.5/32 -p tcp -m tcp --dport 80');
    expect(text).toContain('# Its own address. </script><script>');
    expect(text).toContain('bind(tcp, 10.0.0.5:80) by group web (3)');
    expect(text).toContain('sockfilter --file web.rules explain BIND --group 3');
    expect(log.faults).toEqual([]);
    expect(log.requests).toEqual([`file://${place.path('web.html')}`]);
    await browser.press('Escape');
    expect(await browser.evaluate(PANEL)).toBe('');
  });

  test('text of rules does nothing, and the policy would stop it', async () => {
    const log = await browser.open(place.path('web.html'));
    await browser.click('section[data-chain=BIND] tbody button');
    const counts = `[document.scripts.length, document.images.length, document.querySelectorAll('b[onclick]').length, typeof window.harmed]`;
    expect(await browser.evaluate(counts)).toEqual([2, 0, 0, 'undefined']);
    expect(log.faults).toEqual([]);
    await browser.evaluate(
      `document.body.insertAdjacentHTML('beforeend', '<img src="http://192.0.2.1/x" onerror="window.harmed=1">')`,
    );
    await browser.evaluate(`new Promise((done) => setTimeout(done, 200))`);
    expect(await browser.evaluate('typeof window.harmed')).toBe('undefined');
    expect(log.faults.join()).toContain('Content Security Policy');
  });

  test('the keyboard reaches every cell, and a split one shows both sides', async () => {
    await browser.open(place.path('web.html'));
    await browser.evaluate(`document.querySelector('section[data-chain=CONNECT] button').focus()`);
    await browser.press('Enter');
    const text = String(await browser.evaluate(PANEL));
    expect(text).toContain('CONNECT · web (3) · to 10.0.0.0/8, the rest');
    expect(text).toMatch(/Accepted\n.*uid 33[\s\S]*Refused\n.*uid not 33/);
    await browser.press('Escape');
    await browser.press('ArrowDown');
    await browser.press('ArrowRight');
    await browser.press('Enter');
    expect(await browser.evaluate(PANEL)).toContain('CONNECT · db (4) · to 10.0.0.9\n');
    expect(
      await browser.evaluate(
        `document.querySelectorAll('[data-chain=CONNECT] button[tabindex="0"]').length`,
      ),
    ).toBe(1);
  });

  test('filters', async () => {
    await browser.open(place.path('web.html'));
    const shown = `[...document.querySelectorAll('section[data-chain=CONNECT] :is(tbody, thead) th')].filter((th) => th.offsetParent).map((th) => th.textContent)`;
    await browser.click('#groups');
    await browser.type('DB');
    expect(await browser.evaluate(shown)).toEqual([
      'group',
      'to 10.0.0.0/8, the rest',
      'to 10.0.0.9',
      'everything else',
      'db (4)',
    ]);
    await browser.click('#places');
    await browser.type('0.0.9');
    expect(await browser.evaluate(shown)).toEqual(['group', 'to 10.0.0.9', 'db (4)']);
    await browser.type('nowhere');
    expect(await browser.evaluate(`document.getElementById('nothing').offsetParent !== null`)).toBe(
      true,
    );
  });

  test('a change is coloured, and shows the rules of both sides', async () => {
    const log = await browser.open(place.path('diff.html'));
    const labels = `[...document.querySelectorAll('section[data-chain=BIND] td button')].filter((each) => each.offsetParent).map((each) => each.getAttribute('aria-label'))`;
    expect(await browser.evaluate(labels)).toEqual(['newly accepted; now accepted']);
    await browser.click('section[data-chain=BIND] td:not([hidden]) button.CA');
    const text = String(await browser.evaluate(PANEL));
    expect(text).toMatch(
      /Newly accepted[\s\S]*decided before by\s+web\.rules:2 · the policy of BIND · DROP/,
    );
    expect(text).toMatch(/decides now\s+new\.rules:7 · rule 1 of BIND · ACCEPT/);
    await browser.press('Escape');
    await browser.click('#changed');
    expect(
      await browser.evaluate(
        `document.querySelectorAll('section[data-chain]:not([hidden])').length`,
      ),
    ).toBe(5);
    expect(log.faults).toEqual([]);
  });

  test('heads and signs are read aloud, and stand out in light and dark', async () => {
    await browser.open(place.path('web.html'));
    const nameless = `[...document.querySelectorAll('button, input')].filter((each) => !each.getAttribute('aria-label') && !each.textContent.trim() && !each.labels?.length).length`;
    expect(await browser.evaluate(nameless)).toBe(0);
    expect(
      await browser.evaluate(`document.querySelectorAll('.grid th:not([scope])').length`),
    ).toBe(0);
    for (const scheme of ['light', 'dark'] as const) {
      await browser.screenshot(scheme, [1366, 800]);
      expect(await browser.evaluate(LEAST_CONTRAST)).toBeGreaterThan(4.5);
    }
  });

  test.each(['web.html', 'diff.html'])(
    'axe finds nothing in %s, on a desk and on a phone',
    async (name) => {
      const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
      await browser.open(place.path(name));
      await browser.evaluate(`(() => { ${axe} })()`);
      await browser.click('section[data-chain=BIND] tbody button');
      for (const size of [DESK, PHONE]) {
        await browser.screenshot('light', size);
        const found = await browser.evaluate(
          `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]))`,
        );
        expect(found).toEqual([]);
      }
    },
  );

  test('on a phone cards stack, no word is broken, and the answer is on the first screen', async () => {
    for (const name of ['web.html', 'diff.html', 'tenants.html']) {
      const log = await browser.open(place.path(name));
      await browser.screenshot('light', PHONE);
      const seen = await browser.evaluate(`(() => {
        const bottom = (selector) => document.querySelector(selector).getBoundingClientRect().bottom;
        const [row, next] = document.querySelectorAll('section[data-chain] tbody tr');
        const [first] = row.cells;
        return {
          wide: document.documentElement.scrollWidth > innerWidth,
          answer: bottom('dd') < innerHeight,
          chain: bottom('section h2') < innerHeight,
          stacked: first.getBoundingClientRect().bottom <= row.cells[1].getBoundingClientRect().top,
          below: !next || row.getBoundingClientRect().bottom <= next.getBoundingClientRect().top,
          broken: ${BROKEN_WORDS},
        };
      })()`);
      expect({ name, ...Object(seen) }).toEqual({
        name,
        wide: false,
        answer: true,
        chain: true,
        stacked: true,
        below: true,
        broken: [],
      });
      expect(log.faults).toEqual([]);
    }
  });

  test('what is refused everywhere can be left out', async () => {
    await browser.open(place.path('web.html'));
    const heads = `[...document.querySelectorAll('section[data-chain=CONNECT] thead th')].filter((th) => !th.hidden).map((th) => th.textContent)`;
    expect(await browser.evaluate(heads)).toContain('everything else');
    await browser.click('#refused');
    expect(await browser.evaluate(heads)).not.toContain('everything else');
    expect(await browser.evaluate(heads)).toContain('to 10.0.0.9');
  });

  test('five hundred groups are drawn as they are scrolled to, and the keyboard goes on', async () => {
    const numbers = Array.from({ length: 500 }, (_, n) => n);
    const rules = numbers.map(
      (n) => `-A BIND -d 10.0.0.5/32 -m owner --uid-owner ${n} -m cgroup --id ${1000 + n} -j DROP`,
    );
    const groups = numbers.map((n) => `-G g${n} --id ${1000 + n}`);
    place.write('many.rules', ['*socket', ...groups, ...rules, 'COMMIT', ''].join('\n'));
    const words = ['query', 'refuse', 'many.rules', '--chain', 'BIND', '--report', 'many.html'];
    place.expectStatus(words, 0);
    await browser.open(place.path('many.html'));
    const drawn = 'document.querySelectorAll(".grid tbody tr").length';
    const before = Number(await browser.evaluate(drawn));
    expect(before).toBeLessThan(100);
    await browser.evaluate(
      `document.querySelector('.grid tbody tr:last-child').scrollIntoView(), new Promise((done) => setTimeout(done, 500))`,
    );
    const after = Number(await browser.evaluate(drawn));
    expect(after).toBeGreaterThan(before);
    await browser.evaluate(`document.querySelector('.grid tbody tr:last-child button').focus()`);
    await browser.press('ArrowDown');
    expect(await browser.evaluate('document.activeElement.closest("tr").sectionRowIndex')).toBe(
      after,
    );
    await browser.click('#groups');
    await browser.type('g499');
    expect(await browser.evaluate(drawn)).toBe(1);
  });

  test('fifty groups open at once', async () => {
    const log = await browser.open(place.path('tenants.html'));
    await browser.click('#groups');
    await browser.type('tenant42');
    await browser.click('section[data-chain=ACCEPT] tbody button.A');
    expect(await browser.evaluate(PANEL)).toContain('ACCEPT · tenant42 (1042)');
    expect(log.faults).toEqual([]);
  });
});

/** The least contrast of text and what is behind it, by the formula of WCAG 2. */
const LEAST_CONTRAST = `(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const parts = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (rgb) => rgb.slice(0, 3)
    .map((c) => c / 255)
    .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  let least = 21;
  for (const element of document.querySelectorAll('h1, h2, dt, dd, span, th, td button, label, p, code, footer')) {
    if (!element.textContent.trim() && element.tagName !== 'BUTTON') continue;
    let behind = element;
    while (parts(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
    const [a, b] = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor].map(parts).map(light);
    least = Math.min(least, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
  }
  return least;
})()`;
