/** Words for what lies around a policed root: sockets that were carried in, and NAT. */
import { readlinkSync } from 'node:fs';
import type { CarriedSocket, Rewriting } from '@sockfilter/kernel';
import { escapePath, printEndpoint } from '@sockfilter/table';
import { note } from './output.js';

/** Of what can't be looked at, what the kernel said; of one errno the first, and how many there are. */
class Failures {
  readonly #byCode = new Map<string, { readonly message: string; count: number }>();

  add(error: unknown): void {
    if (!(error instanceof Error) || error.name !== 'BpfError' || !('code' in error)) throw error;
    const code = String(error.code);
    const known = this.#byCode.get(code);
    if (known) known.count++;
    else this.#byCode.set(code, { message: error.message, count: 1 });
  }

  tell(): void {
    for (const { message, count } of this.#byCode.values())
      note(count === 1 ? message : `${message}, and ${count - 1} times more`);
  }
}

/** What a look gives, as far as it gets; the reason is told where a privilege for it is missing, or a namespace tells nothing. */
export function lookAround<T>(
  look: (failed: (error: unknown) => void) => readonly T[],
): readonly T[] {
  const failures = new Failures();
  let found: readonly T[] = [];
  try {
    found = look((error) => failures.add(error));
  } catch (error) {
    failures.add(error);
  }
  failures.tell();
  return found;
}

type Side = CarriedSocket['madeIn'];

const pathOf = ({ path }: Side) => (path === undefined ? null : escapePath(path));

function sideText(side: Side): string {
  return `${pathOf(side) ?? '-'} (${side.id === undefined ? 'outside of the root' : `id ${side.id}`})`;
}

const localOf = ({ family, address, port }: CarriedSocket) => printEndpoint(family, address, port);

/** As JSON has it. */
export function carriedData(socket: CarriedSocket) {
  const { protocol, madeIn, heldIn, holders } = socket;
  const side = (each: Side) => ({ path: pathOf(each), id: each.id ?? null });
  const local = localOf(socket);
  return { protocol, local, madeIn: side(madeIn), heldIn: side(heldIn), holders };
}

/** One line: who holds the socket, where it was made, and what that means. */
export function carriedText(socket: CarriedSocket): string {
  const { protocol, madeIn, heldIn, holders } = socket;
  const [first, ...more] = holders;
  const who = `process ${first?.pid ?? '-'} (${first?.command ?? ''})`;
  const others = more.length === 0 ? ' holds' : ` and ${more.length} more hold`;
  const chain = protocol === 'tcp' ? 'ACCEPT' : 'RECVFROM';
  const meaning =
    madeIn.id === undefined ? 'no rule is asked for it' : `${chain} judges its peers by that`;
  return `${who}${others} ${protocol} ${localOf(socket)} in ${sideText(heldIn)}, made in ${sideText(madeIn)}: ${meaning}`;
}

const MEANING: Readonly<Record<Rewriting['hook'], string>> = {
  output: 'comes after CONNECT and SENDTO, which judge the address that was asked for',
  prerouting: 'comes before ACCEPT and RECVFROM, which judge what it has written',
};

function ownNamespace(): string {
  return readlinkSync('/proc/self/ns/net');
}

/** A line for each network namespace and place where NAT has rules. */
export function rewritingTexts(nat: readonly Rewriting[]): readonly string[] {
  const own = ownNamespace();
  const places = new Map<string, readonly Rewriting[]>();
  for (const each of nat) {
    const key = `${each.namespace} ${each.hook}`;
    places.set(key, [...(places.get(key) ?? []), each]);
  }
  return [...places.values()].map((chains) => {
    const [first] = chains;
    if (!first) throw new Error('a place without a chain');
    const { hook, namespace, pid } = first;
    const where = own === `net:[${namespace}]` ? '' : ` in the network namespace of process ${pid}`;
    return `nat at ${hook}${where} (${chains.map(({ name }) => name).join('; ')}) ${MEANING[hook]}`;
  });
}
