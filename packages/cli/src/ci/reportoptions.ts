/** `--format`, `--fail-on` and what else a report is told. */
import { EXIT } from '@sockfilter/language';
import {
  FORMATS,
  type Format,
  isFormat,
  SEVERITIES,
  type Severity,
} from '@sockfilter/policy/words';
import { CommandError } from '../failure.js';

export interface ReportWords {
  readonly format: readonly string[];
  readonly failOn: string;
  readonly exitZero: boolean;
  readonly all: boolean;
}

interface Output {
  readonly format: Format;
  /** Standard output if undefined. */
  readonly to: string | undefined;
}

export interface ReportOptions {
  readonly outputs: readonly Output[];
  readonly failOn: Severity;
  readonly exitZero: boolean;
  /** Nothing grouped, nothing left out. */
  readonly all: boolean;
}

function readOutput(word: string): Output {
  const at = word.indexOf('=');
  const format = at < 0 ? word : word.slice(0, at);
  const to = at < 0 ? undefined : word.slice(at + 1);
  if (!isFormat(format))
    throw new CommandError(
      `there is no format \`${format}\``,
      EXIT.usage,
      `formats: ${FORMATS.join(', ')}`,
    );
  if (to === '') throw new CommandError(`\`${word}\` needs the name of a file`, EXIT.usage);
  return { format, to };
}

export function readReportOptions({ format, failOn, exitZero, all }: ReportWords): ReportOptions {
  const severity = SEVERITIES.find((each) => each === failOn);
  if (!severity)
    throw new CommandError(
      `\`--fail-on\` takes ${SEVERITIES.join(', ')}, not \`${failOn}\``,
      EXIT.usage,
    );
  const outputs = (format.length === 0 ? ['text'] : format).map(readOutput);
  return { outputs, failOn: severity, exitZero, all };
}
