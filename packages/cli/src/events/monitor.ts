/** `sockfilter monitor`: what the kernel reports, as it comes. */
import {
  type EventFilter,
  type EventKind,
  eventJson,
  eventWords,
  isWanted,
} from '@sockfilter/events';
import { parseRate } from '@sockfilter/iptables';
import { EXIT, escapeUnseen, writeJsonLine } from '@sockfilter/language';
import type { ValueOf } from '@sockfilter/table';
import { CommandError } from '../failure.js';
import { type Globals, requireLive } from '../globals.js';
import { printOn } from '../output.js';
import { openJournal } from './journal.js';
import type { Knowledge } from './knowledge.js';
import { listen } from './listener.js';
import { type Output, tellMissed } from './output.js';
import { limitRate } from './ratelimit.js';
import { openSummary } from './summary.js';
import { requireChainName, requireGroup } from './wanted.js';

export interface MonitorOptions {
  /** Where events go: at most one. */
  readonly json: boolean;
  readonly summary: boolean;
  readonly journal: boolean;
  /** Kinds of events; all false for all but calls that pass. */
  readonly refused: boolean;
  readonly audited: boolean;
  readonly passed: boolean;
  readonly group?: string | undefined;
  readonly chain?: string | undefined;
  readonly rule?: string | undefined;
  /** Events at a time, as `-m limit` has it; those beyond are counted. */
  readonly rate?: string | undefined;
}

function kindsOf({ refused, audited, passed }: MonitorOptions): readonly EventKind[] | undefined {
  const kinds: readonly EventKind[] = [
    ...(refused ? (['refused'] as const) : []),
    ...(audited ? (['audit'] as const) : []),
    ...(passed ? (['passed'] as const) : []),
  ];
  return kinds.length > 0 ? kinds : undefined;
}

/** Reads the options as they stand for the table in force; what it has not is told. */
function readFilter(options: MonitorOptions, knowledge: Knowledge): EventFilter {
  const { chain, group, rule } = options;
  if (chain !== undefined) requireChainName(chain, knowledge);
  return {
    kinds: kindsOf(options),
    chain,
    group: group === undefined ? undefined : requireGroup(group, knowledge.groups),
    rule: rule === undefined ? undefined : Number(rule),
  };
}

/** What is wrong with the options whatever the table is. */
function checkOptions({ rule, chain, rate, ...options }: MonitorOptions): void {
  const outputs = (['json', 'summary', 'journal'] as const).filter((name) => options[name]);
  if (outputs.length > 1)
    throw new CommandError(
      `${outputs.map((name) => `\`--${name}\``).join(' and ')} exclude each other`,
      EXIT.usage,
    );
  if (rate !== undefined && options.summary)
    throw new CommandError(
      '`--rate` is for events that are told one by one: `--summary` counts all',
      EXIT.usage,
    );
  if (rule !== undefined && !/^[1-9]\d*$/.test(rule))
    throw new CommandError(`invalid number of a rule \`${rule}\``, EXIT.usage);
  if (rule !== undefined && chain === undefined)
    throw new CommandError('`--rule` needs the `--chain` that it is in', EXIT.usage);
}

function readRate(text: string): ValueOf<'rate'> {
  const span = { source: 'command line', line: 1, column: 1, length: text.length };
  const rate = parseRate({ text, span, quoted: false });
  if (rate.ok) return rate.value;
  throw new CommandError(rate.problem.message, EXIT.usage, rate.problem.help);
}

/** A line for each event. */
function openLines(json: boolean): Output {
  return {
    hear: (all, missed) => {
      const lines = all.map(({ event, resolution }) =>
        json
          ? writeJsonLine(eventJson(event, resolution))
          : `${escapeUnseen(eventWords(event, resolution))}\n`,
      );
      const text = [...lines, ...tellMissed(missed, json)].join('');
      return text === '' || printOn(text);
    },
    close: () => undefined,
  };
}

export async function monitor(globals: Globals, options: MonitorOptions): Promise<void> {
  requireLive(globals, 'monitor');
  checkOptions(options);
  const rate = options.rate === undefined ? undefined : readRate(options.rate);
  const stop = new AbortController();
  let filter: EventFilter = {};
  // Where there is none, it is said before anything is waited for.
  const limited = (open: Output) => (rate ? limitRate(open, rate) : open);
  let output = options.journal ? limited(openJournal()) : undefined;
  try {
    await listen(globals, {
      passed: options.passed,
      until: stop.signal,
      begin: (knowledge, isFirst) => {
        try {
          filter = readFilter(options, knowledge);
        } catch (error) {
          // A table that comes later need not have the group or chain any more.
          if (isFirst) throw error;
        }
        if (options.summary) output ??= openSummary(() => stop.abort());
        output ??= limited(openLines(options.json));
      },
      hear: ({ events, lost, start }, knowledge) => {
        const seen = events
          .map((event) => ({ event, resolution: knowledge.resolve(event, start) }))
          .filter(({ event, resolution }) => isWanted(filter, event, resolution.owner));
        return output?.hear(seen, { lost }) ?? true;
      },
    });
  } finally {
    output?.close();
  }
}
