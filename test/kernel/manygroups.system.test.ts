/** What a tenant with a control group of its own may make of it: any depth, and any number. */
import { mkdirSync, rmdirSync } from 'node:fs';
import { constants } from 'node:os';
import { printSave } from '@sockfilter/iptables';
import { LEAST_CGROUPS } from '@sockfilter/kernel';
import { EMPTY_TABLE } from '@sockfilter/table';
import { describeKernel } from '../harness/kernel.js';
import { forLength } from '../harness/length.js';
import { Policy, tableOf } from '../harness/policy.js';
import { Testbed } from '../harness/testbed.js';
import { Administrator, endProcesses, Settler } from './processes/process.js';

const { EACCES } = constants.errno;
const DEPTH = 700;
/** Of 984 by default, which 2,600 levels of recursion overflowed. */
const STACK_KIB = 160;
const MANY = forLength({ long: LEAST_CGROUPS + 500, short: 4000 });

describeKernel('a tenant', () => {
  let bed: Testbed;
  let policy: Policy;
  let settler: Settler;
  beforeAll(async () => {
    bed = await Testbed.create();
    bed.cgroups.child('policed');
    policy = new Policy(bed.cgroups.childPath('policed'));
    settler = await Settler.start(bed.cgroups.child('policed/home'), bed.network.path);
  });
  afterAll(async () => {
    await endProcesses();
    policy?.teardown();
    await bed?.close();
  });

  const rules = (id: number) =>
    `-G tenant --id ${id} --path ${bed.cgroups.childPath('policed/tenant')}
     -A CONNECT -m cgroup --id 3 -j REJECT --reject-with EACCES`;
  const call = async () => Number(Object.keys(await settler.ask({ do: 'call' }))[0]);

  test(`${DEPTH} nested control groups: the first commit, later ones, and taking it down`, async () => {
    const folder = bed.cgroups.child('policed/tenant');
    await settler.ask({ do: 'dive', folder, depth: DEPTH, name: 'n' });
    // A frame for each of them would not fit.
    const administrator = await Administrator.start(`--stack-size=${STACK_KIB}`);
    const replace = (id?: number) => {
      const text = id === undefined ? undefined : printSave(tableOf(rules(id)));
      return administrator.ask({ root: policy.root, do: 'replace', text });
    };
    for (const id of [3, 4, 3]) {
      expect(await replace(id)).toBeGreaterThan(0);
      expect(await call()).toBe(id === 3 ? EACCES : 0);
    }
    expect(policy.use((firewall) => firewall.status(() => EMPTY_TABLE)?.cgroups)).toBeGreaterThan(
      DEPTH,
    );
    expect(policy.use((firewall) => firewall.countProcesses())).toEqual(new Map([[3, 1]]));
    expect(await replace()).toBeGreaterThan(0);
    await settler.ask({ do: 'surface' });
  });

  test(`${MANY} control groups leave room for others, and commits go on`, async () => {
    policy.enforce(rules(3));
    const folder = bed.cgroups.child('policed/tenant');
    const names = Array.from({ length: MANY }, (_, n) => `${folder}/${n}`);
    try {
      for (const name of names) mkdirSync(name);
      expect(policy.use((firewall) => firewall.status(() => EMPTY_TABLE)?.cgroups)).toBeGreaterThan(
        MANY,
      );
      const other = await bed.caller('policed/other');
      const connect = async () => {
        const fd = await other.socket('inet', 'dgram');
        return other.connect(fd, { address: '127.0.0.1', port: 7001 });
      };
      expect(await connect()).toBe('ok');
      const started = Date.now();
      policy.enforce(rules(4));
      console.info(`a change of groups with ${MANY} control groups: ${Date.now() - started} ms`);
      expect(await connect()).toBe('ok');
      policy.teardown();
      const first = Date.now();
      policy.enforce(rules(3));
      console.info(`a first commit with ${MANY} control groups: ${Date.now() - first} ms`);
      expect(await connect()).toBe('ok');
    } finally {
      for (const name of names) rmdirSync(name);
    }
  });
});
