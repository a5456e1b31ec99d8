/** `sockfilter trace`: for the calls that match, every rule that was asked, in words or JSON. */
import type { Batch, RawEvent } from '@sockfilter/events';
import { parseCommand, unfitNames } from '@sockfilter/iptables';
import { type Diagnostic, EXIT } from '@sockfilter/language';
import { type Trace, Tracer } from '@sockfilter/policy';
import { isBuiltinChain, type Packet, placedTests, type Rule, type Table } from '@sockfilter/table';
import { CommandError, DiagnosticsError } from '../failure.js';
import { type Globals, requireLive } from '../globals.js';
import { printOn } from '../output.js';
import { SYSTEM_NAMES } from '../systemnames.js';
import type { Knowledge } from './knowledge.js';
import { listen } from './listener.js';
import { tellMissed } from './output.js';
import { type Traced, tracedJson, tracedWords, waysOf } from './traced.js';
import { requireChainName } from './wanted.js';

export interface TraceWords {
  readonly chain: string;
  /** Options of a rule without a target. */
  readonly rule: readonly string[];
  readonly json: boolean;
  /** Calls to tell of before it ends; undefined for no end. */
  readonly count: string | undefined;
}

/** Only the table's groups can tell whether these are mistakes. */
const maybeGroup = ({ code }: Diagnostic) => code === 'unknown-name';

/** The words as rules that a table could have, each of which is of the calls that are wanted. */
function readRules({ chain, rule }: TraceWords, table: Table | undefined): readonly Rule[] {
  const context = { names: SYSTEM_NAMES, groups: table?.groups ?? [] };
  const parsed = parseCommand(['-A', chain, ...rule], context);
  const faults = table ? parsed.diagnostics : parsed.diagnostics.filter((one) => !maybeGroup(one));
  if (faults.length > 0) throw new DiagnosticsError(faults, parsed.source);
  const { command, place } = parsed;
  if (!command) return [];
  if (command.kind !== 'append')
    throw new CommandError('`trace` takes the options of one rule', EXIT.usage);
  if (command.rules.some(({ target }) => target !== undefined))
    throw new CommandError('`trace` changes nothing: its rule has no target', EXIT.usage);
  if (!table) return command.rules;
  const places = { place, chain: parsed.chain?.span, target: undefined };
  const unfit = unfitNames(table, command, places, context);
  if (unfit.length > 0) throw new DiagnosticsError(unfit, parsed.source);
  return command.rules;
}

/** A table that lets pass what the rules match and nothing else. */
function tableOf(rules: readonly Rule[], table: Table): Table {
  const passing = rules.map((rule): Rule => ({ ...rule, target: { kind: 'accept' } }));
  return {
    ...table,
    chains: table.chains.map((chain) =>
      isBuiltinChain(chain.name)
        ? { ...chain, policy: 'DROP', rules: passing }
        : { ...chain, rules: [] },
    ),
  };
}

/** Whether a call meets the options; throws CommandError where more than the call has a say in it. */
function matcherOf(words: TraceWords, table: Table): (packet: Packet) => boolean {
  const wanted = tableOf(readRules(words, table), table);
  if (placedTests(wanted).length > 0)
    throw new CommandError(
      '`trace` takes matches of the call alone: no sets, limits or clocks',
      EXIT.usage,
    );
  const tracer = new Tracer(wanted);
  return (packet) => tracer.decide(packet).errno === 0;
}

function readCount(text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new CommandError(`\`--count\` is a number of calls, not \`${text}\``, EXIT.usage);
}

/** Each call is told once, by what became of it. */
const isVerdict = ({ kind }: RawEvent) => kind === 'refused' || kind === 'passed';

export async function trace(globals: Globals, words: TraceWords): Promise<void> {
  requireLive(globals, 'trace');
  const { chain, json } = words;
  let left = readCount(words.count);
  readRules(words, undefined);
  let matches: (packet: Packet) => boolean = () => false;

  const tracedOf = (event: RawEvent, start: bigint, knowledge: Knowledge): readonly Traced[] => {
    const { packet } = event;
    if (!isVerdict(event) || !packet || !matches(packet)) return [];
    if (isBuiltinChain(chain) && packet.chain !== chain) return [];
    const resolution = knowledge.resolve(event, start);
    const tracer = knowledge.tracerOf(event);
    const ways = tracer ? waysOf(event, resolution, tracer) : [];
    const isThere = (way: Trace) => way.steps.some(({ owner }) => owner.chain.name === chain);
    const there = isBuiltinChain(chain) ? ways : ways.filter(isThere);
    return there.length > 0 || isBuiltinChain(chain) ? [{ event, resolution, ways: there }] : [];
  };

  const hear = ({ events, lost, start }: Batch, knowledge: Knowledge): boolean => {
    const found = events.flatMap((event) => tracedOf(event, start, knowledge)).slice(0, left);
    left -= found.length;
    const lines = [...found.map(json ? tracedJson : tracedWords), ...tellMissed({ lost }, json)];
    return (lines.length === 0 || printOn(lines.join(''))) && left > 0;
  };

  await listen(globals, {
    passed: true,
    begin: (knowledge, isFirst) => {
      try {
        requireChainName(chain, knowledge);
        matches = matcherOf(words, knowledge.table);
      } catch (error) {
        if (isFirst) throw error;
      }
    },
    hear,
  });
}
