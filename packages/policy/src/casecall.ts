/** The call of a case as a packet. What is not said is what an ordinary call has. */
import {
  CALL_KEYS,
  CallError,
  type CallKey,
  type Packet,
  readCall,
  type Table,
} from '@sockfilter/table';
import { type Region, RegionError } from './region.js';

/** The one value that a call has in the field. */
function onlyValue(call: Region, key: CallKey): string | undefined {
  const values = call[key];
  if (!values) return undefined;
  const [text, more] = values;
  if (text === undefined || more !== undefined || text.startsWith('!'))
    throw new RegionError(key, undefined, `a call has one \`${key}\``);
  return text;
}

/** Throws RegionError where the words make no call, or one that can't happen. */
export function readCase(call: Region, { groups }: Table): Packet {
  const words = Object.fromEntries(CALL_KEYS.map((key) => [key, onlyValue(call, key)]));
  try {
    return readCall(words, { groups, complete: true });
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    throw new RegionError(error.key, undefined, error.message, error.help);
  }
}
