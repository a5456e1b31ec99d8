/** `socket cgroupv2` is whole again with what nft's text says: what is printed is what nft prints, and reads. */
import { applyText, list, objectsOf, printRule, readCgroupLevels } from 'nftables-json';
import { CgroupTree } from '../harness/cgroups.js';
import { NetworkNamespace } from '../harness/netns.js';
import { describeNft } from '../harness/nft.js';

/** nft looks for control groups in one place only. */
const IN_PLACE = 'mount --make-rprivate / && mount -t cgroup2 none /sys/fs/cgroup && exec nft "$@"';
const [COMMAND, ...WORDS] = ['unshare', '--mount', 'sh', '-c', IN_PLACE, 'nft'] as const;

describeNft('levels of control groups', () => {
  afterAll(async () => {
    await NetworkNamespace.removeAll();
    await CgroupTree.removeAll();
  });

  test('come from the text that nft prints', async () => {
    const tree = await CgroupTree.create();
    const root = tree.path.slice(1);
    tree.child('web/api');
    const depth = root.split('/').length;
    const at = (below: string, levels: number) => `level ${depth + levels} "${root}${below}"`;
    const rules = [
      `socket cgroupv2 ${at('', 0)} accept`,
      `socket cgroupv2 ${at('/web', 1)} tcp dport { 80, 443 } counter packets 0 bytes 0 accept`,
      `socket cgroupv2 ${at('/web/api', 2)} socket cgroupv2 ${at('/web', 1)} drop comment "socket cgroupv2 level 9"`,
      `socket cgroupv2 level ${depth + 1} != "${root}/web" reject`,
    ];
    const text = (lines: readonly string[]) =>
      `table inet t {\n chain c {\n  type filter hook output priority 0;\n  ${lines.join('\n  ')}\n }\n}\n`;
    const run = async (lines: readonly string[]) => {
      const namespace = await NetworkNamespace.create([]);
      const options = { command: ['nsenter', `--net=${namespace.path}`, COMMAND, ...WORDS] };
      await applyText(text(lines), options);
      const { document } = await list(options);
      const printed = await namespace.run(COMMAND, ...WORDS, '-a', 'list', 'ruleset');
      const whole = objectsOf(readCgroupLevels(document, printed), 'rule').map(printRule);
      const theirs = [...printed.matchAll(/^\t\t(socket .*) # handle \d+$/gm)].map(
        ([, line]) => line,
      );
      await namespace.remove();
      return { whole, theirs };
    };
    const first = await run(rules);
    expect(first.theirs).toHaveLength(rules.length);
    expect(first.whole).toEqual(first.theirs);
    expect(await run(first.whole)).toEqual(first);
  });
});
