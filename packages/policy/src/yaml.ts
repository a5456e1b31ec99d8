/** What reads and describes YAML files: zod and yaml are loaded with the first call. */
import type { ExpectationFile, IntendedChange } from './expectation.js';
import type { Read } from './expectationfile.js';

export type { Read } from './expectationfile.js';

/** Reads the text of a `*.test.yaml`; what is wrong is in the findings. */
export async function readExpectations(text: string, name: string): Promise<Read<ExpectationFile>> {
  const file = await import('./expectationfile.js');
  return file.readExpectations(text, name);
}

/** Reads the text of the file of `--intended`. */
export async function readIntended(text: string, name: string): Promise<Read<IntendedChange>> {
  const file = await import('./expectationfile.js');
  return file.readIntended(text, name);
}

/** JSON schemas for editors: of expectation files, and of intended changes. */
export async function jsonSchema(kind: 'expectations' | 'intended'): Promise<object> {
  const schema = await import('./expectationschema.js');
  return kind === 'expectations' ? schema.expectationsJsonSchema() : schema.intendedJsonSchema();
}
