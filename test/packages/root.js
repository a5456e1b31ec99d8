/** A Debian without Node, in namespaces of its own: the kernel's files are there, and no network but loopback. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Mounts what a booted machine has mounted, then runs the rest. bpffs is one of its own: its pins end with it. */
const ENTER = `
set -e
root=$1 cgroup2=$2
shift 2
ip link set lo up
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
mkdir -p "$root/sys/fs/cgroup"
mount --bind "$cgroup2" "$root/sys/fs/cgroup"
mount -t bpf bpf "$root/sys/fs/bpf"
exec chroot "$root" /bin/bash -c 'while read -r line; do eval "$line"; echo "-- $?"; done'
`;

export const isThere = (program) => !spawnSync(program, ['--version']).error;

export const INSTALL =
  'apt-get install -y -q --no-install-recommends --allow-downgrades -o APT::Sandbox::User=root';

/** Makes it by debootstrap where it is not there yet; false, and says so, where that can't be. */
export function makeRoot(folder, architecture) {
  if (existsSync(join(folder, 'var/lib/dpkg/status')) && existsSync(join(folder, 'made')))
    return true;
  if (!isThere('debootstrap')) return false;
  mkdirSync(folder, { recursive: true });
  const words = [`--arch=${architecture}`, '--variant=minbase', 'bookworm', folder];
  const { status } = spawnSync('debootstrap', words, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status === 0) mkdirSync(join(folder, 'made'));
  return status === 0;
}

/** A shell in the root, which is asked line by line. */
export class Shell {
  #child;
  #waiting = [];
  #text = '';
  #ended = false;

  constructor(root, cgroup2, environment) {
    const words = [
      '--mount',
      '--net',
      '--ipc',
      '--uts',
      'bash',
      '-c',
      ENTER,
      'enter',
      root,
      cgroup2,
    ];
    const env = {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      LC_ALL: 'C',
      HOME: '/root',
      ...environment,
    };
    this.#child = spawn('unshare', words, { stdio: ['pipe', 'pipe', 'inherit'], env });
    this.#child.stdout.setEncoding('utf8').on('data', (data) => {
      this.#text += data;
      const end = /^([\s\S]*?)^-- (\d+)\n/m.exec(this.#text);
      if (!end) return;
      this.#text = this.#text.slice(end[0].length);
      this.#waiting.shift()?.({ text: end[1], status: Number(end[2]) });
    });
    this.#child.on('exit', () => {
      this.#ended = true;
      for (const settle of this.#waiting.splice(0)) settle({ text: this.#text, status: 255 });
    });
  }

  /** The output, both streams of it, and the exit status of a line. */
  ask(line) {
    if (this.#ended) throw new Error('the shell in the root has ended');
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#child.stdin.write(`{ ${line}; } 2>&1 </dev/null\n`);
    });
  }

  close() {
    if (this.#ended) return undefined;
    this.#child.stdin.end();
    return new Promise((resolve) => this.#child.once('exit', resolve));
  }
}
