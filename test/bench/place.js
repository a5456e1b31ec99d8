/** A place to measure in: a control group and a network namespace, both removed at the end. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { findCgroup2 } from '@sockfilter/bpf';

const mounts = readFileSync('/proc/self/mounts', 'utf8');

export const run = (command, args, input) =>
  execFileSync(command, args, { input, stdio: ['pipe', 'pipe', 'pipe'], maxBuffer: 1 << 28 });

export function isInstalled(command) {
  try {
    run('sh', ['-c', `command -v ${command}`]);
    return true;
  } catch {
    return false;
  }
}

/** Runs the body in a place of its own; undefined where there can be none. */
export async function withPlace(body) {
  const mount = findCgroup2(mounts);
  if (process.geteuid() !== 0 || mount === undefined || !isInstalled('ip')) {
    console.log('  skipped: it needs root, cgroup2 and ip(8)');
    return;
  }
  const name = `sockfilter-bench-${process.pid}`;
  const root = `/${name}`;
  mkdirSync(`${mount}${root}`);
  run('ip', ['netns', 'add', name]);
  try {
    run('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
    run('ip', ['-n', name, 'addr', 'add', '10.9.9.1/32', 'dev', 'lo']);
    await body({ root, directory: `${mount}${root}`, netns: name });
  } finally {
    run('ip', ['netns', 'del', name]);
    await removeFolder(`${mount}${root}`);
  }
}

/** A control group goes once the exit of its last process is through. */
export async function removeFolder(path) {
  for (let tries = 0; ; tries++) {
    try {
      rmdirSync(path);
      return;
    } catch (error) {
      if (tries > 50) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
