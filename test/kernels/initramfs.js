/**
 * An initramfs for kernels that have what their root needs as modules: busybox loads them and goes on with the
 * root. The archive is a cpio of the format newc (Documentation/driver-api/early-userspace/buffer-format.rst).
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';

const EXECUTABLE = 0o100755;
const FOLDER = 0o040755;

function entry(name, mode, data) {
  const bytes = Buffer.from(data);
  // Number, mode, owner, group, links, time, size, device and its device (two each), name's length, checksum.
  const fields = [0, mode, 0, 0, 1, 0, bytes.length, 0, 0, 0, 0, name.length + 1, 0];
  const words = fields.map((field) => field.toString(16).padStart(8, '0')).join('');
  const padded = (part) => [part, Buffer.alloc((4 - (part.length % 4)) % 4)];
  return Buffer.concat([...padded(Buffer.from(`070701${words}${name}\0`)), ...padded(bytes)]);
}

/** Files of the modules that the kernel in `folder` needs for its root, in the order in which they are loaded. */
function modulesFor(folder, release, names) {
  const files = names.flatMap((name) =>
    execFileSync('modprobe', ['-d', folder, '-S', release, '--show-depends', name], {
      encoding: 'utf8',
    })
      .split('\n')
      .flatMap((line) => (line.startsWith('insmod ') ? [line.split(' ')[1]] : [])),
  );
  return [...new Set(files)];
}

const nameOf = (path) => basename(path, '.xz');

/** A module's bytes; insmod takes none that are compressed. */
function readModule(path) {
  return path.endsWith('.xz')
    ? execFileSync('xz', ['-dc', path], { maxBuffer: 2 ** 26 })
    : readFileSync(path);
}

/** Writes the archive. `mount` is busybox's command that mounts the root on /root, `init` what that goes on with. */
export function writeInitramfs(file, { folder, release, busybox, needs, mount, init }) {
  const modules = modulesFor(folder, release, needs);
  const script = [
    '#!/bin/busybox sh',
    ...modules.map((path) => `/bin/busybox insmod /${nameOf(path)}`),
    // The device of a disk comes into being here.
    '/bin/busybox mount -t devtmpfs dev /dev',
    `/bin/busybox ${mount}`,
    `exec /bin/busybox switch_root /root ${init}`,
    '',
  ];
  const entries = [
    entry('bin', FOLDER, ''),
    entry('root', FOLDER, ''),
    entry('dev', FOLDER, ''),
    entry('bin/busybox', EXECUTABLE, readFileSync(busybox)),
    ...modules.map((path) => entry(nameOf(path), EXECUTABLE, readModule(path))),
    entry('init', EXECUTABLE, script.join('\n')),
    entry('TRAILER!!!', 0, ''),
  ];
  writeFileSync(file, Buffer.concat(entries));
}
