/** A socket call from the words of the command line. */
import { didYouMean, EXIT } from '@sockfilter/language';
import {
  BUILTIN_CHAINS,
  CallError,
  type CallWords,
  type Detail,
  type Packet,
  readCall,
  splitEndpoint,
  type Table,
} from '@sockfilter/table';
import { CommandError } from './failure.js';
import { SYSTEM_NAMES } from './systemnames.js';

/** The call as the command line has it; what is missing is unspecified, or 0. */
export interface PacketWords extends Partial<Readonly<Record<Detail, string | undefined>>> {
  readonly chain: string;
  readonly group?: string | undefined;
  readonly proto?: string | undefined;
  readonly src?: string | undefined;
  readonly dst?: string | undefined;
  readonly uid?: string | undefined;
  readonly gid?: string | undefined;
  readonly mark?: string | undefined;
}

function helpFor({ key, help }: CallError, words: PacketWords): string | undefined {
  if (key === 'chain') return help && (didYouMean(words.chain, BUILTIN_CHAINS) ?? help);
  if (key === 'src' || key === 'dst') return 'write `10.0.0.5:80`, `[fd00::1]:80`, or no port';
  return help;
}

/** Throws CommandError where the words make no call, or one that can't happen. */
export function readPacket(words: PacketWords, { groups }: Table): Packet {
  const { src, dst, ...others } = words;
  const [source, destination] = [splitEndpoint(src), splitEndpoint(dst)];
  const said: CallWords = {
    ...others,
    src: source.address,
    sport: source.port,
    dst: destination.address,
    dport: destination.port,
  };
  try {
    return readCall(said, { groups, owners: SYSTEM_NAMES, complete: false });
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    const exit = error.key === 'group' ? EXIT.unfit : EXIT.usage;
    throw new CommandError(error.message, exit, helpFor(error, words));
  }
}
