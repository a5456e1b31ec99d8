/** The match `limit` as nft's statement of that name, which means the same: a bucket of calls. */
import { DEFAULT_BURST, givenValue, type MatchOption, requireValue } from '@sockfilter/table';
import type { Json } from './json.js';
import { type JsonNode, type JsonText, nodeNoun } from './node.js';

const PERIODS: Readonly<Record<string, number>> = {
  second: 1,
  minute: 60,
  hour: 3600,
  day: 86_400,
};

/** The periods that a rate can have, as nft says them. */
export const PERIOD_NAMES: readonly string[] = Object.keys(PERIODS);

/** What nft counts where nothing is said. */
export const LIMIT_UNIT = 'packets';

export function limitStatement(options: readonly MatchOption[]): Json {
  const { count, seconds } = requireValue(options, 'limit', 'rate');
  const per = PERIOD_NAMES.find((name) => PERIODS[name] === seconds);
  if (per === undefined) throw new TypeError(`no period has ${seconds} seconds`);
  const burst = givenValue(options, 'limit-burst', 'count')?.count ?? DEFAULT_BURST;
  return { limit: { rate: count, burst: Number(burst), per } };
}

const KEYS = ['rate', 'burst', 'per', 'inv', 'rate_unit', 'burst_unit'];

/** What of nft's statement a socket rule has not. */
const FOREIGN: Readonly<Record<string, readonly [only: unknown, message: string]>> = {
  inv: [false, 'a socket rule has no limit that matches above its rate'],
  rate_unit: [LIMIT_UNIT, 'a socket call has no bytes'],
  burst_unit: [LIMIT_UNIT, 'a socket call has no bytes'],
};

interface ReadOption {
  readonly option: 'limit' | 'limit-burst';
  readonly text: string;
  readonly node: JsonNode;
}

/** The options that the statement stands for; undefined where something is wrong, which is told. */
export function readLimit(json: JsonText, body: JsonNode): readonly ReadOption[] | undefined {
  const parts = json.members(body, KEYS, '`limit`');
  if (!parts) return undefined;
  for (const [key, [only, message]] of Object.entries(FOREIGN)) {
    const given = parts.get(key);
    if (given && given.value !== only) {
      json.report(given, message);
      return undefined;
    }
  }
  const [rate, per, burst] = [parts.get('rate'), parts.get('per'), parts.get('burst')];
  if (!rate || !per) {
    json.report(body, '`limit` needs `rate` and `per`');
    return undefined;
  }
  for (const node of [rate, ...(burst ? [burst] : [])])
    if (node.type !== 'number') {
      json.report(node, `a rate and a burst are numbers, not ${nodeNoun(node)}`);
      return undefined;
    }
  if (!PERIOD_NAMES.includes(String(per.value))) {
    json.report(per, `a period is one of ${PERIOD_NAMES.join(', ')}`);
    return undefined;
  }
  const isUsual = burst === undefined || burst.value === Number(DEFAULT_BURST);
  return [
    { option: 'limit', text: `${json.text(rate)}/${per.value}`, node: rate },
    ...(isUsual
      ? []
      : [{ option: 'limit-burst' as const, text: json.text(burst) ?? '', node: burst }]),
  ];
}
