/** Text in the OpenMetrics format, version 1.0 (https://github.com/prometheus/OpenMetrics, specification). */

export const CONTENT_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number | bigint;
}

/** Numbers of one name; a counter only grows, until what it counts begins anew. */
export interface Family {
  /** Without the suffix of its type. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'info';
  readonly help: string;
  readonly samples: readonly Sample[];
}

const SUFFIX: Readonly<Record<Family['type'], string>> = {
  counter: '_total',
  gauge: '',
  info: '_info',
};

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '"': '\\"' };

const escaped = (text: string) => text.replace(/[\\\n"]/g, (each) => ESCAPES[each] ?? each);

function printLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function printFamily({ name, type, help, samples }: Family): string {
  const lines = samples.map(
    ({ labels, value }) => `${name}${SUFFIX[type]}${printLabels(labels)} ${value}\n`,
  );
  return `# TYPE ${name} ${type}\n# HELP ${name} ${escaped(help)}\n${lines.join('')}`;
}

/** A whole exposition; families without samples are left out. */
export function printMetrics(families: readonly Family[]): string {
  const told = families.filter(({ samples }) => samples.length > 0);
  return `${told.map(printFamily).join('')}# EOF\n`;
}
