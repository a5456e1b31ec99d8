/** What reads and describes YAML files: zod and yaml are loaded with the first call. */
import type { ExpectationFile, IntendedChange } from './expectation.js';
import type { Read } from './expectationfile.js';
import type { SchemaKind } from './schemakind.js';

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

/** The JSON schema of files that people write, for editors, or of what commands print, for programs. */
export async function jsonSchema(kind: SchemaKind): Promise<object> {
  const { SCHEMAS, toJsonSchema } = await import('./answerschema.js');
  return toJsonSchema(SCHEMAS[kind]);
}
