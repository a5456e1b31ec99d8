/** What nft can compare, a row each: its tests in the words of iptables. */

import type { Family } from '@sockfilter/table';
import { type Expression, isList } from 'nftables-json';
import type { Option, Test } from '../packetfilter.js';
import type { NftValue } from './value.js';

/** One way in which a test can hold. */
export interface Way {
  readonly family?: Family | undefined;
  readonly tests: readonly Test[];
}

export interface Field {
  /** What its being there says of the packet. */
  readonly family?: Family;
  readonly protocol?: string;
  /** The test for one value; undefined where it can't be said. */
  readonly one: (value: NftValue, negated: boolean) => Way | undefined;
  /** Tests for several values at once: any of the ways, or of a negated test the one. */
  readonly many?: (values: readonly NftValue[], negated: boolean) => readonly Way[] | undefined;
  /** Whether values stand in an order. */
  readonly ordered?: boolean;
}

export const option = (name: string, negated: boolean, ...words: readonly string[]): Option => ({
  name,
  negated,
  words,
});

const matching = (module: string) => option('-m', false, module);
const way = (...tests: readonly Test[]): Way => ({ tests });
const never = (reason: string): Way => way({ never: reason });

/** Options of multiport have so many ports; a range is two. */
const MAX_PORTS = 15;

function portText(value: NftValue): string | undefined {
  if (value.kind === 'one' && /^\d+$/.test(value.value)) return value.value;
  return value.kind === 'range' && /^\d+-\d+$/.test(`${value.from}-${value.to}`)
    ? `${value.from}:${value.to}`
    : undefined;
}

function chunks(texts: readonly string[]): readonly (readonly string[])[] {
  const all: string[][] = [[]];
  let size = 0;
  for (const text of texts) {
    const needed = text.includes(':') ? 2 : 1;
    if (size + needed > MAX_PORTS) {
      all.push([]);
      size = 0;
    }
    all.at(-1)?.push(text);
    size += needed;
  }
  return all;
}

function port(name: '--sport' | '--dport', protocol?: string): Field {
  return {
    ...(protocol !== undefined && { protocol }),
    ordered: true,
    one: (value, negated) => {
      const text = portText(value);
      return text === undefined ? undefined : way(option(name, negated, text));
    },
    many: (values, negated) => {
      const texts = values.map(portText);
      const known = texts.filter((text) => text !== undefined);
      const lists = chunks(known);
      if (known.length < texts.length || (negated && lists.length > 1)) return undefined;
      return lists.map((list) =>
        way(matching('multiport'), option(`${name}s`, negated, list.join(','))),
      );
    },
  };
}

function address(family: Family, side: 's' | 'd'): Field {
  const range = side === 's' ? '--src-range' : '--dst-range';
  return {
    family,
    one: (value, negated) => {
      if (value.kind === 'one') return way(option(`-${side}`, negated, value.value));
      if (value.kind === 'prefix')
        return way(option(`-${side}`, negated, `${value.address}/${value.length}`));
      if (value.kind !== 'range') return undefined;
      return way(matching('iprange'), option(range, negated, `${value.from}-${value.to}`));
    },
  };
}

/** nft and iptables call one of them differently. */
const protocolWord = (name: string) => (name === 'icmpv6' ? 'ipv6-icmp' : name);

const protocol = (family?: Family): Field => ({
  ...(family !== undefined && { family }),
  one: (value, negated) =>
    value.kind === 'one' ? way(option('-p', negated, protocolWord(value.value))) : undefined,
});

const FAMILY_WORDS: Readonly<Record<string, Family>> = { ipv4: 4, ip: 4, ipv6: 6, ip6: 6 };

const families: Field = {
  one: (value, negated) => {
    const family = value.kind === 'one' ? FAMILY_WORDS[value.value] : undefined;
    if (family === undefined) return negated ? way() : never('a socket call is of IPv4 or IPv6');
    return { family: negated === (family === 4) ? 6 : 4, tests: [] };
  },
};

function device(name: '-i' | '-o'): Field {
  return {
    one: (value, negated) =>
      value.kind === 'one' ? way(option(name, negated, value.value)) : undefined,
  };
}

function owner(name: '--uid-owner' | '--gid-owner'): Field {
  return {
    one: (value, negated) => {
      const text =
        value.kind === 'one'
          ? value.value
          : value.kind === 'range'
            ? `${value.from}-${value.to}`
            : undefined;
      if (text === undefined) return undefined;
      return way(matching('owner'), option(name, negated, text));
    },
  };
}

const icmp = (family: Family): Field => ({
  family,
  protocol: family === 4 ? 'icmp' : 'ipv6-icmp',
  one: (value, negated) =>
    value.kind === 'one' ? way(option('--icmp-type', negated, value.value)) : undefined,
});

/** By the names of the states that count, all at once. */
const states: Field = {
  one: (value, negated) => {
    const names =
      value.kind === 'bits' ? value.names : value.kind === 'one' ? [value.value] : undefined;
    if (!names) return undefined;
    return way(option('--ctstate', negated, names.join(',').toUpperCase()));
  },
};

const directions: Field = {
  one: (value, negated) => {
    if (value.kind !== 'one') return undefined;
    return (value.value === 'original') !== negated
      ? way()
      : never('a socket call is in the original direction');
  },
};

const cgroups: Field = {
  one: (value, negated) => {
    // Of a control group that lies higher than the level neither holds.
    if (value.kind !== 'one' || negated) return undefined;
    if (/^\d+$/.test(value.value)) return never('the control group is not there any more');
    return way(matching('cgroup'), option('--path', false, value.value));
  },
};

const addressTypes: Field = {
  one: (value, negated) =>
    value.kind === 'one'
      ? way(option('--dst-type', negated, value.value.toUpperCase()))
      : undefined,
};

const packetTypes: Field = {
  one: (value, negated) =>
    value.kind === 'one' ? way(option('--pkt-type', negated, value.value)) : undefined,
};

const FIELDS: Readonly<Record<string, Field>> = {
  'ip saddr': address(4, 's'),
  'ip daddr': address(4, 'd'),
  'ip6 saddr': address(6, 's'),
  'ip6 daddr': address(6, 'd'),
  'ip protocol': protocol(4),
  'ip6 nexthdr': protocol(6),
  'meta l4proto': protocol(),
  'meta nfproto': families,
  'meta protocol': families,
  'th sport': port('--sport'),
  'th dport': port('--dport'),
  'tcp sport': port('--sport', 'tcp'),
  'tcp dport': port('--dport', 'tcp'),
  'udp sport': port('--sport', 'udp'),
  'udp dport': port('--dport', 'udp'),
  'udplite sport': port('--sport', 'udplite'),
  'udplite dport': port('--dport', 'udplite'),
  'sctp sport': port('--sport', 'sctp'),
  'sctp dport': port('--dport', 'sctp'),
  'dccp sport': port('--sport', 'dccp'),
  'dccp dport': port('--dport', 'dccp'),
  'icmp type': icmp(4),
  'icmpv6 type': icmp(6),
  'meta iif': device('-i'),
  'meta iifname': device('-i'),
  'meta oif': device('-o'),
  'meta oifname': device('-o'),
  'meta skuid': owner('--uid-owner'),
  'meta skgid': owner('--gid-owner'),
  'ct state': states,
  'ct direction': directions,
  'socket cgroupv2': cgroups,
  'fib daddr type': addressTypes,
  'meta pkttype': packetTypes,
};

/** `tcp dport`, `meta l4proto`: how nft's syntax calls what is compared. */
export function nameOf(left: Expression): string | undefined {
  if (typeof left !== 'object' || isList(left)) return undefined;
  if ('payload' in left)
    return 'base' in left.payload || left.payload.tunnel !== undefined
      ? undefined
      : `${left.payload.protocol} ${left.payload.field}`;
  if ('meta' in left) return `meta ${left.meta.key}`;
  if ('ct' in left) return left.ct.dir === undefined ? `ct ${left.ct.key}` : undefined;
  if ('socket' in left) return `socket ${left.socket.key}`;
  if ('fib' in left) return `fib ${[left.fib.flags ?? []].flat().join(' ')} ${left.fib.result}`;
  return undefined;
}

export function fieldOf(left: Expression): Field | undefined {
  const name = nameOf(left);
  return name !== undefined && Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
}
