/** The forms of a report, by the names that `--format` takes. */

export const FORMATS = [
  'text',
  'json',
  'github',
  'sarif',
  'junit',
  'markdown',
  'codequality',
] as const;

export type Format = (typeof FORMATS)[number];

export function isFormat(text: string): text is Format {
  return FORMATS.some((format) => format === text);
}
