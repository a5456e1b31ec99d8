/**
 * An initramfs for kernels that have virtiofs as a module: busybox loads what it needs and goes on with the
 * shared root. The archive is a cpio of the format newc (Documentation/driver-api/early-userspace/buffer-format.rst).
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
function modulesFor(folder, release) {
  const files = ['virtio_pci', 'virtiofs'].flatMap((name) =>
    execFileSync('modprobe', ['-d', folder, '-S', release, '--show-depends', name], {
      encoding: 'utf8',
    })
      .split('\n')
      .flatMap((line) => (line.startsWith('insmod ') ? [line.split(' ')[1]] : [])),
  );
  return [...new Set(files)];
}

/** Writes the archive. `init` is what the shared root goes on with. */
export function writeInitramfs(file, { folder, release, busybox, init }) {
  const modules = modulesFor(folder, release);
  const script = [
    '#!/bin/busybox sh',
    ...modules.map((path) => `/bin/busybox insmod /${basename(path)}`),
    '/bin/busybox mount -t virtiofs -o ro hostroot /root',
    `exec /bin/busybox switch_root /root ${init}`,
    '',
  ];
  const entries = [
    entry('bin', FOLDER, ''),
    entry('root', FOLDER, ''),
    entry('dev', FOLDER, ''),
    entry('bin/busybox', EXECUTABLE, readFileSync(busybox)),
    ...modules.map((path) => entry(basename(path), EXECUTABLE, readFileSync(path))),
    entry('init', EXECUTABLE, script.join('\n')),
    entry('TRAILER!!!', 0, ''),
  ];
  writeFileSync(file, Buffer.concat(entries));
}
