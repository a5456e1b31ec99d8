/** What of others is in the executable: the packages, Node, and what Node holds; told as licenses and as an SBOM. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NODE_VERSION, NODES } from './node.js';

const LINE = '-'.repeat(80);

/** The packages of the bundle, each with its license's text, as bundle.js has written them. */
function bundledPackages(dist) {
  return readFileSync(join(dist, 'LICENSES.txt'), 'utf8')
    .split(`\n${LINE}\n\n`)
    .map((text) => {
      const [, name, version, license] = /^(\S+) (\S+) \((.+)\)\n/.exec(text);
      return { name, version, license, text };
    });
}

function koffi(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const text = `${name} ${version} (${license})\n\n${readFileSync(join(folder, 'LICENSE.txt'), 'utf8')}`;
  const header = readFileSync(join(folder, 'vendor/node-addon-api/LICENSE.md'), 'utf8');
  return [
    { name, version, license, text },
    { name: 'node-addon-api', license: 'MIT', text: `node-addon-api (MIT), in koffi\n\n${header}` },
  ];
}

export function listParts({ dist, koffiFolder }) {
  return [...bundledPackages(dist), ...koffi(koffiFolder)];
}

/** The text of a package's `copyright`: ours, then that of every part. */
export function copyrightText(own, parts, nodeLicense) {
  const node = `Node.js ${NODE_VERSION} and what it holds\n\n${nodeLicense}`;
  const texts = [...parts.map(({ text }) => text.trim()), node.trim()];
  return `sockfilter\n\n${own.trim()}\n\nIt holds the following.\n\n${texts.join(`\n\n${LINE}\n\n`)}\n`;
}

/** Names in `process.versions` that are numbers of interfaces, no programs. */
const NO_PROGRAMS = new Set(['node', 'modules', 'napi', 'unicode', 'tz', 'cldr']);

/** CycloneDX 1.6, without a serial number or a clock's time: equal parts make equal text. */
export function bomText({ version, cpu, nodeBinary }, parts) {
  const versions = JSON.parse(
    execFileSync(nodeBinary, ['-p', 'JSON.stringify(process.versions)'], { encoding: 'utf8' }),
  );
  const { name: nodeName, integrity } = NODES[cpu];
  const hash = Buffer.from(integrity.replace(/^sha512-/, ''), 'base64').toString('hex');
  const fromNpm = parts.map(({ name, version, license }) => ({
    type: 'library',
    'bom-ref': `npm:${name}${version ? `@${version}` : ''}`,
    name,
    ...(version && { version, purl: `pkg:npm/${name.replace('@', '%40')}@${version}` }),
    licenses: [{ license: { id: license } }],
  }));
  const node = {
    type: 'platform',
    'bom-ref': `node@${NODE_VERSION}`,
    name: 'node',
    version: NODE_VERSION,
    purl: `pkg:npm/${nodeName}@${NODE_VERSION}`,
    hashes: [{ alg: 'SHA-512', content: hash }],
    components: Object.entries(versions)
      .filter(([name]) => !NO_PROGRAMS.has(name))
      .map(([name, version]) => ({
        type: 'library',
        'bom-ref': `node/${name}@${version}`,
        name,
        version,
      })),
  };
  const unique = [...new Map(fromNpm.map((each) => [each['bom-ref'], each])).values()];
  const component = {
    type: 'application',
    'bom-ref': `sockfilter@${version}`,
    name: 'sockfilter',
    version,
  };
  const bom = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component: { ...component, licenses: [{ license: { id: 'MIT' } }] } },
    components: [...unique, node],
    dependencies: [
      {
        ref: component['bom-ref'],
        dependsOn: [...unique.map((each) => each['bom-ref']), node['bom-ref']],
      },
    ],
  };
  return `${JSON.stringify(bom, null, 2)}\n`;
}
