/** Virtual machines, by qemu with software emulation, on kernels of Debian. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ARCHITECTURES } from './architectures.js';
import { foreignApt, makeForeign } from './foreign.js';
import { writeInitramfs } from './initramfs.js';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const INIT = fileURLToPath(new URL('init.sh', import.meta.url));
const VIRTIOFSD = '/usr/lib/qemu/virtiofsd';

const NEEDED = { [VIRTIOFSD]: 'qemu-system-common', depmod: 'kmod' };

function has(program) {
  try {
    execFileSync('sh', ['-c', 'command -v "$0"', program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Debian's packages that are missing here: those of the architecture's machines, and of `more` programs. */
export function missingPackages(arch, more) {
  const { qemu, qemuPackage } = ARCHITECTURES[arch];
  const needed = Object.entries({ [qemu]: qemuPackage, ...NEEDED, ...more });
  return [...new Set(needed.flatMap(([program, name]) => (has(program) ? [] : [name])))];
}

/** The folder in which what is fetched or made once is kept. */
export function keptFolder(name) {
  const all = process.env.SOCKFILTER_KERNELS ?? join(tmpdir(), 'sockfilter-kernels');
  const folder = join(all, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** apt as it is here, or with a state of its own for another architecture. */
function aptFor(arch, folder) {
  if (ARCHITECTURES[arch].foreign) return foreignApt(keptFolder(arch), arch, folder).run;
  return (program, ...words) => execFileSync(program, words, { cwd: folder, encoding: 'utf8' });
}

/** The kernel and its modules, fetched by apt once, and a busybox for an initramfs. */
export function fetchKernel({ arch, version }) {
  const { image, isModular } = ARCHITECTURES[arch].kernels[version];
  const folder = keptFolder(arch === 'amd64' ? version : `${version}-${arch}`);
  const fetch = (apt, ...names) => {
    apt('apt-get', 'download', '-q', ...names);
    for (const file of readdirSync(folder).filter((each) => each.endsWith('.deb')))
      execFileSync('dpkg', ['-x', file, folder], { cwd: folder });
  };
  if (!existsSync(join(folder, 'boot'))) {
    const apt = aptFor(arch, folder);
    const dependencies = apt('apt-cache', 'depends', image);
    const [, name] = /Depends: (linux-image-\S+)/.exec(dependencies) ?? [];
    if (name === undefined)
      throw new Error(`apt knows no ${image}: has \`apt-get update\` been run?`);
    fetch(apt, name);
  }
  const busybox = join(folder, 'bin/busybox');
  if (!existsSync(busybox)) fetch(aptFor(arch, folder), 'busybox-static');
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

/**
 * A thread for each processor, where that is sound: before 8.1 qemu can run an instruction as it was before another
 * processor changed it, so that a kernel that patches itself stops at a breakpoint that it has taken away.
 */
function threading(program) {
  const said = execFileSync(program, ['--version'], { encoding: 'utf8' });
  const [, major, minor] = /version (\d+)\.(\d+)/.exec(said) ?? [];
  const isSound = Number(major) > 8 || (Number(major) === 8 && Number(minor) > 0);
  return isSound ? 'multi' : 'single';
}

function startQemu(arch, words, { place, helpers, limitMs }) {
  const { qemu: program, machine } = ARCHITECTURES[arch];
  const common = [
    ...[...machine, '-accel', `tcg,thread=${threading(program)}`, '-smp', '2'],
    ...['-m', MEMORY, '-nographic', '-no-reboot', '-nodefaults', '-serial', 'stdio'],
  ];
  const qemu = spawn(program, [...common, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: limitMs,
    killSignal: 'SIGKILL',
  });
  return new Machine(qemu, { place, helpers });
}

/**
 * A disk of the machine: /dev/vda. What qemu has been given of it outlives qemu; nothing else does. What is written to it
 * is in `log` as well, if that names a file.
 */
function diskWords(disk, log) {
  if (disk === undefined) return [];
  if (log === undefined) return ['-drive', `file=${disk},format=raw,if=virtio,cache=writeback`];
  writeFileSync(log, '');
  const file = (node, path) => ['-blockdev', `driver=file,node-name=${node},filename=${path}`];
  const logged = 'driver=blklogwrites,node-name=logged,file=disk,log=log,log-sector-size=512';
  return [
    ...[...file('disk', disk), ...file('log', log), '-blockdev', logged],
    ...['-device', 'virtio-blk-pci,drive=logged'],
  ];
}

const consoleOf = (arch) => `console=${ARCHITECTURES[arch].console} panic=-1 quiet`;

/** What a machine has as its root, and what is mounted over it: this machine's own files, where it can run them. */
function rootOf({ arch }, folders) {
  const { foreign } = ARCHITECTURES[arch];
  if (!foreign) return { root: '/', mounts: [] };
  const { root, modules } = makeForeign(keptFolder(arch), arch, foreign);
  const shared = [REPOSITORY, ...folders].map((folder) => [folder, folder]);
  return { root, mounts: [...shared, [modules, join(REPOSITORY, 'node_modules')]] };
}

/** Shares the root with a machine, read-only as that mounts it; what is mounted is seen by nobody else. */
function shareRoot({ root, mounts }, socket) {
  for (const [, to] of mounts) mkdirSync(join(root, to), { recursive: true });
  const words = mounts.flatMap(([from, to]) => [from, join(root, to)]);
  const script = 'while [ "$1" != -- ]; do mount --bind "$1" "$2"; shift 2; done; shift; exec "$@"';
  const program = [VIRTIOFSD, `--socket-path=${socket}`, '-o', `source=${root}`];
  const options = ['-o', 'cache=always', '-o', 'sandbox=chroot'];
  return spawn(
    'unshare',
    ['--mount', 'sh', '-ec', script, 'sh', ...words, '--', ...program, ...options],
    { stdio: 'ignore' },
  );
}

/**
 * Boots the kernel on this machine's own files, or on those of another architecture with the repository and `folders` among
 * them, read-only by virtiofs, and has it run the command and end.
 */
export async function bootShared(target, { command, disk, log, folders = [], limitMs }) {
  const kernel = fetchKernel(target);
  const place = mkdtempSync(join(tmpdir(), 'sockfilter-vm-'));
  const words = ['-kernel', kernel.image];
  if (kernel.isModular) {
    const initramfs = join(place, 'initramfs');
    const mount = 'mount -t virtiofs -o ro hostroot /root';
    writeInitramfs(initramfs, { ...kernel, needs: ['virtio_pci', 'virtiofs'], mount, init: INIT });
    words.push('-initrd', initramfs);
  }
  const socket = join(place, 'fs');
  const files = shareRoot(rootOf(target, [kernel.folder, ...folders]), socket);
  for (let n = 0; n < 100 && !existsSync(socket); n++) await wait(50);
  const append = [
    `${consoleOf(target.arch)} rootfstype=virtiofs root=hostroot ro init=${INIT}`,
    `MODULES=${kernel.folder}`,
    `RUN=${Buffer.from(command).toString('base64')}`,
  ].join(' ');
  words.push(
    ...['-object', `memory-backend-memfd,id=mem,size=${MEMORY},share=on`],
    ...['-numa', 'node,memdev=mem', '-chardev', `socket,id=fs,path=${socket}`],
    ...['-device', 'vhost-user-fs-pci,chardev=fs,tag=hostroot'],
    ...diskWords(disk, log),
    ...['-append', append],
  );
  return startQemu(target.arch, words, { place, helpers: [files], limitMs });
}

/** Boots the kernel on a disk that holds a system of its own, an ext4 of the whole. */
export async function bootDisk(target, { disk, words, limitMs }) {
  const kernel = fetchKernel(target);
  const place = mkdtempSync(join(tmpdir(), 'sockfilter-vm-'));
  const initramfs = join(place, 'initramfs');
  const needs = ['virtio_pci', 'virtio_blk', 'ext4'];
  const mount = 'mount -t ext4 /dev/vda /root';
  writeInitramfs(initramfs, { ...kernel, needs, mount, init: '/sbin/init' });
  const append = [consoleOf(target.arch), ...words].join(' ');
  return startQemu(
    target.arch,
    ['-kernel', kernel.image, '-initrd', initramfs, ...diskWords(disk), '-append', append],
    { place, helpers: [], limitMs },
  );
}
