/** What an import says must hold, held against the rules that it makes. */
import { readExpectations, testFile } from '@sockfilter/policy';
import { stringify } from 'yaml';
import { fileOfText } from '../policy/rulefile.js';

/** What `sockfilter test` finds; nothing if nothing is stated. */
export async function invariantFaults(
  rules: string,
  invariants: readonly object[],
): Promise<readonly string[]> {
  if (invariants.length === 0) return [];
  const read = await readExpectations(stringify({ invariants }), 'x.test.yaml');
  if (!read.ok) return read.findings.map(({ message }) => message);
  return testFile(fileOfText(rules), read.value).flatMap(({ findings }) =>
    findings.map(({ code, message }) => `${code} ${message}`),
  );
}
