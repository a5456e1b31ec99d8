/** What attempts are made of. */
import type {
  Argument,
  Call,
  Caller,
  Result,
  SocketFamily,
  SocketProtocol,
  SocketType,
} from '../harness/caller.js';
import { isIpv6, type Message, messageHeader, type Struct } from './struct.js';
import type { Attempt, Outcome } from './technique.js';

const outcomeOf = ({ errno }: Result): string => errno ?? 'ok';

export const said = (result: Result): Outcome => ({ said: outcomeOf(result) });

/** What it returned; throws if it failed, since the attempt proves nothing then. */
export function requireValue(result: Result | undefined, what: string): number {
  if (result?.value === undefined) throw new Error(`${what}: ${result?.errno ?? 'no answer'}`);
  return result.value;
}

export const syscall = (name: string, ...args: readonly Argument[]): Call => ({
  op: 'syscall',
  name,
  args,
});

/** setsockopt(2) with a structure or an int. */
export function option(
  fd: number | 'last',
  level: number,
  name: number,
  value: Struct | number,
): Call {
  if (typeof value === 'number') return { op: 'setsockopt', fd, level, name, value };
  return syscall('setsockopt', fd, level, name, value, value.size);
}

/** Sets an option, and throws if that fails. */
export async function setOption(
  caller: Caller,
  fd: number,
  level: number,
  name: number,
  value: Struct | number,
): Promise<void> {
  requireValue(await caller.call(option(fd, level, name, value)), `setsockopt ${level}/${name}`);
}

export const sendMessage = (fd: number | 'last', message: Message, flags = 0): Call =>
  syscall('sendmsg', fd, messageHeader(message), flags);

export const familyOf = (address: string): SocketFamily => (isIpv6(address) ? 'inet6' : 'inet');

/** Runs a body with a new socket of the caller's. */
export async function withSocket<T>(
  { caller }: Pick<Attempt, 'caller'>,
  family: SocketFamily,
  type: SocketType,
  body: (fd: number) => Promise<T>,
  protocol: SocketProtocol = 0,
): Promise<T> {
  const fd = await caller.socket(family, type, protocol);
  try {
    return await body(fd);
  } finally {
    // A connection that is still in the accept queue when it is closed is accepted all the same.
    await caller.close(fd);
  }
}
