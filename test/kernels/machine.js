/** Virtual machines, by qemu with software emulation, on kernels of Debian. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { writeInitramfs } from './initramfs.js';

const INIT = fileURLToPath(new URL('init.sh', import.meta.url));
const VIRTIOFSD = '/usr/lib/qemu/virtiofsd';

/** The package of each kernel, and whether virtiofs is a module there: an initramfs loads it. */
export const KERNELS = {
  6.12: { image: 'linux-image-6.12-cloud-amd64', isModular: false },
  6.1: { image: 'linux-image-cloud-amd64', isModular: true },
};

const NEEDED = {
  'qemu-system-x86_64': 'qemu-system-x86',
  [VIRTIOFSD]: 'qemu-system-common',
  depmod: 'kmod',
};

function has(program) {
  try {
    execFileSync('sh', ['-c', 'command -v "$0"', program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Debian's packages that are missing here: those of all machines, and of `more` programs. */
export function missingPackages(more) {
  const needed = Object.entries({ ...NEEDED, ...more });
  return [...new Set(needed.flatMap(([program, name]) => (has(program) ? [] : [name])))];
}

/** The folder in which what is fetched or made once is kept. */
export function keptFolder(name) {
  const all = process.env.SOCKFILTER_KERNELS ?? join(tmpdir(), 'sockfilter-kernels');
  const folder = join(all, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** The kernel and its modules, fetched by apt once, and a busybox for an initramfs. */
export function fetchKernel(version) {
  const { image, isModular } = KERNELS[version];
  const folder = keptFolder(version);
  const apt = (...words) =>
    execFileSync(words[0], words.slice(1), { cwd: folder, encoding: 'utf8' });
  const fetch = (...names) => {
    apt('apt-get', 'download', '-q', ...names);
    for (const file of readdirSync(folder).filter((each) => each.endsWith('.deb')))
      apt('dpkg', '-x', file, folder);
  };
  if (!existsSync(join(folder, 'boot'))) {
    const dependencies = apt('apt-cache', 'depends', image);
    const [, name] = /Depends: (linux-image-\S+)/.exec(dependencies) ?? [];
    if (name === undefined)
      throw new Error(`apt knows no ${image}: has \`apt-get update\` been run?`);
    fetch(name);
  }
  const busybox = join(folder, 'bin/busybox');
  if (!existsSync(busybox)) fetch('busybox-static');
  const [release] = readdirSync(join(folder, 'lib/modules'));
  if (!existsSync(join(folder, 'lib/modules', release, 'modules.dep.bin')))
    execFileSync('depmod', ['-b', folder, release]);
  return { folder, release, busybox, isModular, image: join(folder, 'boot', `vmlinuz-${release}`) };
}

const MEMORY = '2048M';

/** A kernel that is booted: what it prints, and its end. Ends with this process. */
class Machine {
  said = '';
  #qemu;
  #ended;
  #place;
  #helpers;
  #end = () => {
    this.cut();
    process.exit(1);
  };

  constructor(qemu, { place, helpers }) {
    this.#qemu = qemu;
    this.#place = place;
    this.#helpers = helpers;
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, this.#end);
    qemu.stdout.on('data', (chunk) => {
      this.said += chunk;
      if (process.env.SOCKFILTER_VERBOSE) process.stdout.write(chunk);
    });
    this.#ended = once(qemu, 'close').then(() => this.#clear());
  }

  #clear() {
    for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, this.#end);
    for (const helper of this.#helpers) helper.kill();
    rmSync(this.#place, { recursive: true, force: true });
  }

  get isRunning() {
    return this.#qemu.exitCode === null && this.#qemu.signalCode === null;
  }

  /** Cuts the power: what its kernel has not yet written to its disk is gone. */
  cut() {
    this.#qemu.kill('SIGKILL');
    for (const helper of this.#helpers) helper.kill();
  }

  /** All that it has said, once it is off. */
  async end() {
    await this.#ended;
    return this.said;
  }

  /** Waits until it has said that; false if it is off before, or the time is over. */
  async says(pattern, limitMs) {
    const until = Date.now() + limitMs;
    while (!pattern.test(this.said)) {
      if (!this.isRunning || Date.now() > until) return pattern.test(this.said);
      await wait(20);
    }
    return true;
  }
}

function startQemu(words, place, helpers, limitMs) {
  const common = [
    ...['-machine', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2'],
    ...['-m', MEMORY, '-nographic', '-no-reboot', '-nodefaults', '-serial', 'stdio'],
  ];
  const qemu = spawn('qemu-system-x86_64', [...common, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: limitMs,
    killSignal: 'SIGKILL',
  });
  return new Machine(qemu, { place, helpers });
}

/** A disk of the machine: /dev/vda. What qemu has been given of it outlives qemu; nothing else does. */
const diskWords = (disk) =>
  disk === undefined ? [] : ['-drive', `file=${disk},format=raw,if=virtio,cache=writeback`];

const CONSOLE = 'console=ttyS0 panic=-1 quiet';

/** Boots the kernel on this machine's own files, read-only by virtiofs, and has it run the command and end. */
export async function bootShared(version, { command, cache, disk, limitMs }) {
  const kernel = fetchKernel(version);
  const place = mkdtempSync(join(tmpdir(), 'sockfilter-vm-'));
  const words = ['-kernel', kernel.image];
  if (kernel.isModular) {
    const initramfs = join(place, 'initramfs');
    const mount = 'mount -t virtiofs -o ro hostroot /root';
    writeInitramfs(initramfs, { ...kernel, needs: ['virtio_pci', 'virtiofs'], mount, init: INIT });
    words.push('-initrd', initramfs);
  }
  const socket = join(place, 'fs');
  const files = spawn(
    VIRTIOFSD,
    [`--socket-path=${socket}`, '-o', 'source=/', '-o', 'cache=always', '-o', 'sandbox=chroot'],
    { stdio: 'ignore' },
  );
  for (let n = 0; n < 100 && !existsSync(socket); n++) await wait(50);
  const append = [
    `${CONSOLE} rootfstype=virtiofs root=hostroot ro init=${INIT}`,
    `MODULES=${kernel.folder}`,
    ...(cache === undefined ? [] : [`CACHE=${cache}`]),
    `RUN=${Buffer.from(command).toString('base64')}`,
  ].join(' ');
  words.push(
    ...['-object', `memory-backend-memfd,id=mem,size=${MEMORY},share=on`],
    ...['-numa', 'node,memdev=mem', '-chardev', `socket,id=fs,path=${socket}`],
    ...['-device', 'vhost-user-fs-pci,chardev=fs,tag=hostroot'],
    ...diskWords(disk),
    ...['-append', append],
  );
  return startQemu(words, place, [files], limitMs);
}

/** Boots the kernel on a disk that holds a system of its own, an ext4 of the whole. */
export async function bootDisk(version, { disk, words, limitMs }) {
  const kernel = fetchKernel(version);
  const place = mkdtempSync(join(tmpdir(), 'sockfilter-vm-'));
  const initramfs = join(place, 'initramfs');
  const mount = 'mount -t ext4 /dev/vda /root';
  writeInitramfs(initramfs, {
    ...kernel,
    needs: ['virtio_pci', 'virtio_blk', 'ext4'],
    mount,
    init: '/sbin/init',
  });
  const append = [CONSOLE, ...words].join(' ');
  return startQemu(
    ['-kernel', kernel.image, '-initrd', initramfs, ...diskWords(disk), '-append', append],
    place,
    [],
    limitMs,
  );
}
