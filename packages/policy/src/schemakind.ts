/** What has a JSON schema. */

export const SCHEMA_KINDS = ['expectations', 'intended', 'diff', 'query', 'event'] as const;

export type SchemaKind = (typeof SCHEMA_KINDS)[number];
