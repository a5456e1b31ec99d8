/**
 * What a set becomes when names have been resolved. An address that several names have is one element, which says all
 * of them; one that somebody has put there as it is stays as it is.
 */
import { EXIT } from '@sockfilter/language';
import {
  addressBits,
  elementKey,
  MAX_TIMEOUT,
  type NamedSet,
  printAddress,
  readCallAddress,
  type SetElement,
  sameElement,
} from '@sockfilter/table';
import { CommandError } from './failure.js';
import { commentOf, hostsOf } from './hostname.js';
import type { ToldAddress } from './resolver.js';

export interface SetChange {
  /** New ones, and those that take the place of what is there. */
  readonly added: readonly SetElement[];
  readonly removed: readonly SetElement[];
}

/** How long an element lives by its record: at least as long as the set says; undefined: it stays. */
export function lifetime({ timeout }: NamedSet, ttl: number): number | undefined {
  return timeout === undefined ? undefined : Math.min(Math.max(ttl, timeout, 1), MAX_TIMEOUT);
}

function elementOf(set: NamedSet, host: string, { address, ttl }: ToldAddress): SetElement {
  const { family } = set;
  const read = readCallAddress(address);
  if (read?.family !== family)
    throw new CommandError(
      `DNS tells the address ${address} of \`${host}\`, and no call of IPv${family} has it`,
      EXIT.unfit,
    );
  return {
    address: read.value,
    prefix: addressBits(family),
    protocol: 0,
    port: 0,
    timeout: lifetime(set, ttl),
    nomatch: false,
    packets: undefined,
    comment: commentOf([host]),
  };
}

/** Of two lives the longer. */
function longer(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : Math.max(a, b);
}

/** A set while answers for one name after the other are worked in. */
export class ResolvedSet {
  readonly set: NamedSet;
  readonly #known: Map<string, SetElement>;
  readonly #ofHost = new Map<string, Set<string>>();

  constructor(set: NamedSet) {
    this.set = set;
    this.#known = new Map(set.elements.map((element) => [elementKey(element), element]));
    for (const [key, element] of this.#known)
      for (const host of hostsOf(element)) this.#keys(host).add(key);
  }

  #keys(host: string): Set<string> {
    const keys = this.#ofHost.get(host) ?? new Set();
    this.#ofHost.set(host, keys);
    return keys;
  }

  /** The names that elements say. */
  get hosts(): readonly string[] {
    return [...this.#ofHost].flatMap(([host, keys]) => (keys.size > 0 ? [host] : []));
  }

  has(host: string): boolean {
    return this.#keys(host).size > 0;
  }

  /** An address of the name that is there already, by that name or as somebody has put it. */
  present(host: string, told: readonly ToldAddress[]): string | undefined {
    for (const each of told) {
      const old = this.#known.get(elementKey(elementOf(this.set, host, each)));
      const hosts = old && hostsOf(old);
      if (old && (hosts?.length === 0 || hosts?.includes(host)))
        return printAddress(this.set.family, old.address);
    }
    return undefined;
  }

  /** What gives the set the addresses that are told. */
  adding(host: string, told: readonly ToldAddress[]): SetChange {
    const added = new Map<string, SetElement>();
    for (const each of told) {
      const element = elementOf(this.set, host, each);
      const key = elementKey(element);
      const old = added.get(key) ?? this.#known.get(key);
      const hosts = old ? hostsOf(old) : [];
      if (old && hosts.length === 0) continue;
      added.set(key, {
        ...element,
        timeout: old ? longer(old.timeout, element.timeout) : element.timeout,
        comment: commentOf([...new Set([...hosts, host])]),
      });
    }
    const isNew = ([key, element]: readonly [string, SetElement]) => {
      const old = this.#known.get(key);
      return !old || !sameElement(old, { ...element, packets: old.packets });
    };
    return { added: [...added].filter(isNew).map(([, element]) => element), removed: [] };
  }

  /** The same, and what is not told any more goes: where elements have times it does so by itself. */
  refreshing(host: string, told: readonly ToldAddress[]): SetChange {
    const { added } = this.adding(host, told);
    if (this.set.timeout !== undefined) return { added, removed: [] };
    const kept = new Set(told.map((each) => elementKey(elementOf(this.set, host, each))));
    const gone = [...this.#keys(host)]
      .filter((key) => !kept.has(key))
      .map((key) => this.#known.get(key))
      .filter((element) => element !== undefined);
    const rest = (element: SetElement) => hostsOf(element).filter((name) => name !== host);
    const shared = gone
      .filter((element) => rest(element).length > 0)
      .map((element) => ({ ...element, packets: undefined, comment: commentOf(rest(element)) }));
    return {
      added: [...added, ...shared],
      removed: gone.filter((element) => rest(element).length === 0),
    };
  }

  /** Takes note of a change that was made. */
  made({ added, removed }: SetChange): void {
    for (const element of added) this.#put(elementKey(element), element);
    for (const element of removed) this.#put(elementKey(element), undefined);
  }

  #put(key: string, element: SetElement | undefined): void {
    const old = this.#known.get(key);
    for (const host of old ? hostsOf(old) : []) this.#keys(host).delete(key);
    if (!element) {
      this.#known.delete(key);
      return;
    }
    this.#known.set(key, element);
    for (const host of hostsOf(element)) this.#keys(host).add(key);
  }
}
