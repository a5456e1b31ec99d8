/** `sockfilter monitor`: what the kernel reports, as it comes. */
import {
  type EventFilter,
  type EventKind,
  eventJson,
  eventWords,
  isWanted,
  lostJson,
} from '@sockfilter/events';
import { EXIT, escapeUnseen, writeJsonLine } from '@sockfilter/language';
import { CommandError } from '../failure.js';
import { type Globals, requireLive } from '../globals.js';
import { note, printOn } from '../output.js';
import { openJournal } from './journal.js';
import type { Knowledge } from './knowledge.js';
import { listen } from './listener.js';
import type { Output } from './output.js';
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
function checkOptions({ rule, chain, ...options }: MonitorOptions): void {
  const outputs = (['json', 'summary', 'journal'] as const).filter((name) => options[name]);
  if (outputs.length > 1)
    throw new CommandError(
      `${outputs.map((name) => `\`--${name}\``).join(' and ')} exclude each other`,
      EXIT.usage,
    );
  if (rule !== undefined && !/^[1-9]\d*$/.test(rule))
    throw new CommandError(`invalid number of a rule \`${rule}\``, EXIT.usage);
  if (rule !== undefined && chain === undefined)
    throw new CommandError('`--rule` needs the `--chain` that it is in', EXIT.usage);
}

const NS_PER_MS = 1_000_000n;

/** Tells of events that did not fit, as a line of JSON or beside the output. */
export function tellLost(lost: number, json: boolean): readonly string[] {
  if (lost === 0) return [];
  if (json) return [writeJsonLine(lostJson(lost, BigInt(Date.now()) * NS_PER_MS))];
  note(`${lost} events came faster than they could be read, and are lost`);
  return [];
}

/** A line for each event. */
function openLines(json: boolean): Output {
  return {
    hear: (all, lost) => {
      const lines = all.map(({ event, resolution }) =>
        json
          ? writeJsonLine(eventJson(event, resolution))
          : `${escapeUnseen(eventWords(event, resolution))}\n`,
      );
      const text = [...lines, ...tellLost(lost, json)].join('');
      return text === '' || printOn(text);
    },
    close: () => undefined,
  };
}

export async function monitor(globals: Globals, options: MonitorOptions): Promise<void> {
  requireLive(globals, 'monitor');
  checkOptions(options);
  const stop = new AbortController();
  let filter: EventFilter = {};
  // Where there is none, it is said before anything is waited for.
  let output = options.journal ? openJournal() : undefined;
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
        output ??= options.summary ? openSummary(() => stop.abort()) : openLines(options.json);
      },
      hear: ({ events, lost, start }, knowledge) => {
        const seen = events
          .map((event) => ({ event, resolution: knowledge.resolve(event, start) }))
          .filter(({ event, resolution }) => isWanted(filter, event, resolution.owner));
        return output?.hear(seen, lost) ?? true;
      },
    });
  } finally {
    output?.close();
  }
}
