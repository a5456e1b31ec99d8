/** What a kernel version cannot enforce. */
import type { Table } from '@sockfilter/table';
import type { CheckContext } from '../context.js';
import type { Finding } from '../finding.js';

export interface KernelVersion {
  readonly major: number;
  readonly minor: number;
}

/** Reads `6.1`, and `6.1.0-18-amd64` as uname prints it. */
export function parseKernelVersion(text: string): KernelVersion | undefined {
  const [, major, minor] = /^v?(\d{1,3})\.(\d{1,4})(?:[.\-+~].*)?$/.exec(text) ?? [];
  return major === undefined ? undefined : { major: Number(major), minor: Number(minor) };
}

interface Feature {
  readonly name: string;
  readonly minimum: KernelVersion;
  readonly uses: (table: Table) => boolean;
}

/** What a table may need, each with the first kernel that has it. */
const FEATURES: readonly Feature[] = [
  {
    name: 'sockfilter itself',
    minimum: { major: 6, minor: 1 },
    uses: () => true,
  },
];

function isOlder(a: KernelVersion, b: KernelVersion): boolean {
  return a.major < b.major || (a.major === b.major && a.minor < b.minor);
}

const text = ({ major, minor }: KernelVersion) => `${major}.${minor}`;

export function* findUnenforceable(
  context: CheckContext,
  kernel: KernelVersion,
): Generator<Finding> {
  const { file } = context;
  for (const { name, minimum, uses } of FEATURES) {
    if (!isOlder(kernel, minimum) || !uses(file.table)) continue;
    yield context.find('SF012', {
      place: { file: file.name, line: 1, column: 1, length: 1 },
      message: `Linux ${text(kernel)} cannot enforce this file: ${name} needs ${text(minimum)}`,
      fix: `use Linux ${text(minimum)} or later`,
    });
  }
}
