/** Numbers as monitoring reads them. */

/**
 * The format of OpenMetrics, version 1.0 (https://github.com/prometheus/OpenMetrics, specification), and the text format
 * of Prometheus, version 0.0.4, in which a counter has its suffix in its name: what node_exporter's textfile collector
 * and `promtool check metrics` read.
 */
export type ExpositionFormat = 'openmetrics' | 'prometheus';

export const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
};

/** Which one an Accept header of HTTP asks for. */
export function formatOf(accept: string | undefined): ExpositionFormat {
  return accept?.includes('application/openmetrics-text') ? 'openmetrics' : 'prometheus';
}

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number | bigint;
}

/** Numbers of one name; a counter only grows, until what it counts begins anew. */
export interface Family {
  /** Without the suffix of its type. */
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly samples: readonly Sample[];
}

const SUFFIX: Readonly<Record<Family['type'], string>> = { counter: '_total', gauge: '' };

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '"': '\\"' };

const escaped = (text: string) => text.replace(/[\\\n"]/g, (each) => ESCAPES[each] ?? each);

function printLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function printFamily({ name, type, help, samples }: Family, format: ExpositionFormat): string {
  const sample = `${name}${SUFFIX[type]}`;
  const family = format === 'openmetrics' ? name : sample;
  const lines = samples.map(({ labels, value }) => `${sample}${printLabels(labels)} ${value}\n`);
  return `# TYPE ${family} ${type}\n# HELP ${family} ${escaped(help)}\n${lines.join('')}`;
}

/** A whole exposition; families without samples are left out. */
export function printMetrics(families: readonly Family[], format: ExpositionFormat): string {
  const told = families.filter(({ samples }) => samples.length > 0);
  const end = format === 'openmetrics' ? '# EOF\n' : '';
  return `${told.map((family) => printFamily(family, format)).join('')}${end}`;
}
