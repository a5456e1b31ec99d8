import { findCgroup2, hasBpffs, parseMountInfo, parseMounts } from './index.js';

const HYBRID = `proc /proc proc rw,relatime 0 0
tmpfs /sys/fs/cgroup tmpfs rw,relatime,mode=755 0 0
cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0
bpf /run/my\\040bpf bpf rw,mode=700 0 0
`;

test('cgroup v2 is found by its type', () => {
  expect(findCgroup2(HYBRID)).toBe('/sys/fs/cgroup/unified');
  expect(findCgroup2('cgroup2 /sys/fs/cgroup cgroup2 rw,nsdelegate 0 0\n')).toBe('/sys/fs/cgroup');
  expect(findCgroup2('cgroup /sys/fs/cgroup/cpu cgroup rw 0 0\n')).toBeUndefined();
  expect(findCgroup2('')).toBeUndefined();
});

test('a bpffs is there if it is what was mounted last', () => {
  expect(hasBpffs(HYBRID)).toBe(false);
  expect(hasBpffs(HYBRID, '/run/my bpf')).toBe(true);
  const usual = `${HYBRID}bpf /sys/fs/bpf bpf rw 0 0\n`;
  expect(hasBpffs(usual)).toBe(true);
  expect(hasBpffs(`${usual}tmpfs /sys/fs/bpf tmpfs rw 0 0\n`)).toBe(false);
});

test('escapes and options', () => {
  expect(parseMounts('a /x\\134y\\011z ext4 ro,noexec 0 0\nshort line\n')).toEqual([
    { target: '/x\\y\tz', type: 'ext4', options: ['ro', 'noexec'] },
  ]);
});

test('a mount is told by the device of its file system, whatever stands between', () => {
  const text = `36 35 98:0 / /mnt\\0401 rw,noatime master:1 - ext3 /dev/root rw
37 35 0:29 / /sys/fs/bpf rw shared:9 master:2 - bpf bpf rw,mode=700
38 35 0:30 /part /run/bpf rw - bpf bpf rw
nonsense
`;
  expect(parseMountInfo(text)).toEqual([
    { target: '/mnt 1', type: 'ext3', device: '98:0' },
    { target: '/sys/fs/bpf', type: 'bpf', device: '0:29' },
    { target: '/run/bpf', type: 'bpf', device: '0:30' },
  ]);
});
