/** What becomes of a call, and which calls get a verdict, as lines of text. */
import { printOwner } from '@sockfilter/iptables';
import {
  type Counted,
  describeCall,
  Query,
  REGION_KEYS,
  type Region,
  RegionError,
  type RegionKey,
  type RuleFile,
  Tracer,
} from '@sockfilter/policy';
import {
  CALL_KEYS,
  CallError,
  elementAt,
  errnoName,
  ownerName,
  type Packet,
  placedTests,
  readCall,
  registerPaths,
  rewritingText,
  splitEndpoint,
  type Table,
} from '@sockfilter/table';
import { affordable } from './ruletext.js';
import { LineError, readLine } from './words.js';

/** Lines of a query's answer. */
const MOST_REGIONS = 200;

export interface Answer {
  readonly isMistake: boolean;
  readonly lines: readonly string[];
}

/** What is wrong with the words is an answer as well. */
function answer(ask: () => readonly string[]): Answer {
  try {
    const lines = affordable(ask);
    return typeof lines === 'string'
      ? { isMistake: true, lines: [lines] }
      : { isMistake: false, lines };
  } catch (error) {
    const isOurs =
      error instanceof LineError || error instanceof CallError || error instanceof RegionError;
    if (!isOurs) throw error;
    const place = error instanceof LineError ? '' : `${error.key}: `;
    const help = error.help === undefined ? [] : [`help: ${error.help}`];
    return { isMistake: true, lines: [`${place}${error.message}`, ...help] };
  }
}

function readPacket(line: string, { groups }: Table): Packet {
  const { first, values } = readLine(line, 'explain', CALL_KEYS);
  if (first === '') throw new LineError('which chain?', 'write `CONNECT --dst 10.0.0.5:80`');
  for (const [key, texts] of values)
    if (texts.length > 1) throw new LineError(`\`--${key}\` is given more than once`);
  const said = Object.fromEntries([...values].map(([key, [text]]) => [key, text]));
  const [source, destination] = [splitEndpoint(said.src), splitEndpoint(said.dst)];
  const words = {
    ...said,
    chain: first,
    src: source.address,
    sport: source.port ?? said.sport,
    dst: destination.address,
    dport: destination.port ?? said.dport,
  };
  return readCall(words, { groups, complete: false });
}

function outcome({ errno, decider, counted, rewriting }: Counted): readonly string[] {
  const verdict = errno === 0 ? 'allowed' : `refused with ${errnoName(errno)}`;
  const becomes = rewritingText(rewriting);
  return [
    `${verdict} by ${ownerName(decider)}`,
    `  ${printOwner(decider)}`,
    ...(becomes === '' ? [] : [`it goes on with ${becomes}`]),
    ...counted
      .filter((owner) => owner !== decider)
      .map((owner) => `also counted by ${ownerName(owner)}\n  ${printOwner(owner)}`),
  ];
}

/** What `explain --rules` says of the call. */
export function explain(file: RuleFile, line: string): Answer {
  return answer(() => {
    const table = registerPaths(file.table, 0);
    const packet = readPacket(line, table);
    const tracer = new Tracer(table);
    const ways = tracer.countedWays(packet);
    const tests = placedTests(table);
    const said = ways.flatMap((way) => {
      const conditions = [...way.said].map(
        ([n, holds]) =>
          `what ${ownerName(elementAt(tests, n).owner)} asks ${holds ? 'holds' : 'does not hold'}`,
      );
      const head = conditions.length === 0 ? [] : [`if ${conditions.join(', and ')}:`];
      return [...head, ...outcome(way.result)];
    });
    const steps = tracer.trace(packet).steps.map(({ owner, matched, failed }) => {
      const why = matched ? 'matches' : failed.length > 0 ? `not the ${failed.join(', ')}` : 'no';
      return `  ${ownerName(owner)}: ${why}`;
    });
    return [
      ...(ways.length > 1 ? ['undecided: it depends on a clock, a state or chance'] : []),
      ...said,
      `call: ${describeCall(packet, table.groups)}`,
      'asked in this order:',
      ...steps,
    ];
  });
}

/** What `query` says: the regions of calls that are accepted or refused. */
export function query(file: RuleFile, line: string): Answer {
  return answer(() => {
    const { first, values } = readLine<RegionKey>(line, 'query', REGION_KEYS);
    if (first !== 'accept' && first !== 'refuse')
      throw new LineError('which verdict?', 'write `accept --chain CONNECT`, or `refuse`');
    const region: Region = Object.fromEntries(
      [...values].map(([key, texts]) => [key, texts.flatMap((text) => text.split(','))]),
    );
    const asked = new Query(file, first, region);
    const { boxes, tooMany } = asked.regions();
    if (tooMany) return ['the answer is too many regions to list: ask about a smaller region'];
    if (boxes.length === 0) return [asked.isVoid ? 'no call is in the region' : 'none'];
    const texts = boxes
      .slice(0, MOST_REGIONS)
      .map(({ text, becomes }) => (becomes === undefined ? text : `${text}: with ${becomes}`));
    const more = boxes.length - texts.length;
    return more > 0 ? [...texts, `and ${more} more regions`] : texts;
  });
}
