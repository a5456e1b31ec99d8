/** Numbers of what is in force, as the programs read them that people have for that. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { CgroupTree } from '../harness/cgroups.js';
import { describeKernel } from '../harness/kernel.js';
import { describeProgram } from '../harness/needing.js';
import { ended, Workplace } from './command.js';

const COMMENT = 'ab "quoted" \\ é';
const LABEL = 'comment="ab \\"quoted\\" \\\\ é"';
const SAMPLE = `sockfilter_rule_calls_total{chain="CONNECT",rule="1",target="DROP",${LABEL}}`;
const OPENMETRICS = { accept: 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5' };

/** A port of the loopback that nothing has bound. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Waits until what a program serves has the text. */
async function served(url: string, text: string): Promise<string> {
  let said = '';
  for (let n = 0; n < 300 && !said.includes(text); n++) {
    if (n > 0) await new Promise((resolve) => setTimeout(resolve, 50));
    said = await fetch(url).then(
      (answer) => answer.text(),
      (error) => String(error),
    );
  }
  return said;
}

describeKernel('metrics', () => {
  let cgroups: CgroupTree;
  let place: Workplace;

  beforeAll(async () => {
    cgroups = await CgroupTree.create();
    place = new Workplace({ SOCKFILTER_ROOT: cgroups.path });
    const rule = ['-A', 'CONNECT', '-d', '10.0.0.5', '-m', 'comment', '--comment', COMMENT];
    place.expectStatus([...rule, '-j', 'DROP'], 0);
    place.expectStatus(['-P', 'BIND', 'DROP', '--audit'], 0);
    place.expectStatus(['group', 'add', 'web'], 0);
  });
  afterAll(async () => {
    place?.run(['teardown']);
    await cgroups?.remove();
    place?.remove();
  });

  const run = (...words: string[]) => place.expectStatus(words, 0).stdout;

  async function whileServed(body: (url: string) => Promise<void>): Promise<void> {
    const child = place.start(['metrics', '--listen', '127.0.0.1:0']);
    const { stdout } = child;
    if (!stdout) throw new Error('nothing to read');
    const [said] = (await once(stdout, 'data')).map(String);
    try {
      await body(/http:\S+/.exec(said ?? '')?.[0] ?? '');
    } finally {
      child.kill('SIGTERM');
    }
    expect(await ended(child)).toMatchObject({ status: 0, stderr: '' });
  }

  test('they are served until a signal, as they are printed, in the format that is asked for', () =>
    whileServed(async (url) => {
      for (const [words, headers] of [
        [[], OPENMETRICS],
        [['--prometheus'], {}],
      ] as const) {
        const answer = await fetch(url, { headers });
        // What is heard while they are served comes at the end; nothing was refused here.
        const lost = /# TYPE sockfilter_events_lost.*\n# HELP .*\nsockfilter_events_lost_total 0\n/;
        const told = (await answer.text()).replace(lost, '');
        expect([answer.status, told]).toEqual([200, run('metrics', ...words)]);
      }
      expect((await fetch(url, { method: 'POST' })).status).toBe(405);
      expect((await fetch(new URL('/', url))).status).toBe(404);
    }));

  test('they say what is in force', () => {
    expect(run('metrics')).toContain(`${SAMPLE} 0\n`);
    expect(run('metrics')).toMatch(/^sockfilter_resource_used\{resource="rules"\} [1-9]/m);
    const [, when = ''] =
      /^sockfilter_commit_timestamp_seconds ([\d.]+)$/m.exec(run('metrics')) ?? [];
    expect(Math.abs(Date.now() / 1000 - Number(when))).toBeLessThan(600);
    for (const words of ['80', '[::1', '127.0.0.1:1 -f x', '127.0.0.1:1 --prometheus'])
      place.expectStatus(['metrics', '--listen', ...words.split(' ')], 2);
  });

  describeProgram('promtool', 'promtool', () => {
    test('has nothing to say of the text format', () => {
      const input = run('metrics', '--prometheus');
      const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
        input,
        encoding: 'utf8',
      });
      expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
    });
  });

  /** Runs a program that serves at an address which is appended to its words. */
  async function whileRuns(
    [name, ...words]: readonly [string, ...string[]],
    body: (url: string) => Promise<void>,
  ): Promise<void> {
    const address = `127.0.0.1:${await freePort()}`;
    const at = `--web.listen-address=${address}`;
    const child = spawn(name, [...words, at], { cwd: place.folder, stdio: 'ignore' });
    const end = once(child, 'exit');
    try {
      await body(`http://${address}`);
    } finally {
      child.kill('SIGKILL');
      await end;
    }
  }

  describeProgram('prometheus', 'Prometheus', () => {
    test('scrapes what is served, types and comments with it', () =>
      whileServed(async (url) => {
        const scrape = `{ job_name: s, scrape_interval: 1s, static_configs: [{ targets: ['${new URL(url).host}'] }] }`;
        place.write('prometheus.yml', `scrape_configs: [${scrape}]\n`);
        const words = ['--config.file=prometheus.yml', '--storage.tsdb.path=data'];
        await whileRuns(['prometheus', ...words], async (at) => {
          const series = `${at}/api/v1/query?query=sockfilter_rule_calls_total`;
          expect(await served(series, 'CONNECT')).toContain(`"comment":${JSON.stringify(COMMENT)}`);
          const { data } = JSON.parse(await served(`${at}/api/v1/metadata`, 'rule_calls'));
          expect(data).toMatchObject({ sockfilter_rule_calls: [{ type: 'counter' }] });
        });
      }));
  });

  describeProgram('prometheus-node-exporter', 'the textfile collector of node_exporter', () => {
    test.each([['metrics'], ['metrics', '--prometheus']])('reads what %s %s writes', (...words) => {
      mkdirSync(place.path('textfile'), { recursive: true });
      run(...words.filter(Boolean), '--output', 'textfile/sockfilter.prom');
      const collector = ['--collector.disable-defaults', '--collector.textfile'];
      return whileRuns(
        [
          'prometheus-node-exporter',
          ...collector,
          `--collector.textfile.directory=${place.path('textfile')}`,
        ],
        async (at) => {
          const told = await served(`${at}/metrics`, 'node_textfile_scrape_error');
          expect(told).toMatch(/^node_textfile_scrape_error 0$/m);
          expect(told).toContain(LABEL);
          expect(told.includes('# TYPE sockfilter_rule_calls_total counter')).toBe(
            words.includes('--prometheus'),
          );
        },
      );
    });
  });
});
