/**
 * The lists of addresses that a group may bind, as the network container patches of 2007 had them: a
 * file `network.ipv4` in each control group, to which one wrote `add ADDRESS` and `del ADDRESS`.
 *
 * A list is a chain of its own, that BIND asks first:
 *
 *     -A BIND -4 -m cgroup --id 3 -j network.ipv4-3
 *     -A network.ipv4-3 -d 0.0.0.0/32 -j RETURN
 *     -A network.ipv4-3 -d 10.0.0.5/32 -j RETURN
 *     -A network.ipv4-3 -j DROP
 *
 * RETURN: a list restricts and grants nothing, the rules behind it go on to decide. A group that has
 * no chain is not restricted.
 */
import {
  type Address,
  addressBits,
  appendRules,
  type Chain,
  deleteRule,
  type Family,
  findChain,
  fullMask,
  insertRules,
  type Match,
  newChain,
  type Rule,
  readCallAddress,
  type Table,
  TableError,
  type Target,
} from '@sockfilter/table';

/** The list of one group for one family. */
export interface BindList {
  readonly family: Family;
  /** The group's network_id, not 0. */
  readonly group: number;
}

const chainName = ({ family, group }: BindList) => `network.ipv${family}-${group}`;

function ruleOf(matches: readonly Match[], target: Target): Rule {
  return { matches, target, packets: 0n };
}

/** The rule that lets a bind to the address go on. */
function addressRule(family: Family, address: bigint): Rule {
  const value = { kind: 'network', family, address, mask: fullMask(family) } as const;
  const option = { name: 'destination', negated: false, value };
  return ruleOf([{ name: 'ip', options: [option] }], { kind: 'return' });
}

function jumpTo(list: BindList): Rule {
  const { family, group } = list;
  const version = { name: `ipv${family}`, negated: false, value: { kind: 'none' } } as const;
  const id = { kind: 'groupRange', from: group, to: group } as const;
  return ruleOf(
    [
      { name: 'ip', options: [version] },
      { name: 'cgroup', options: [{ name: 'id', negated: false, value: id }] },
    ],
    { kind: 'jump', chain: chainName(list) },
  );
}

/** The one address that the rule lets through, if that is all it does. */
function listedAddress({ matches, target }: Rule): bigint | undefined {
  const [match, ...others] = matches;
  const [option, ...more] = match?.options ?? [];
  if (target?.kind !== 'return' || match?.name !== 'ip' || !option) return undefined;
  if (others.length + more.length > 0 || option.negated || option.name !== 'destination')
    return undefined;
  const { value } = option;
  const isOne = value.kind === 'network' && value.mask === fullMask(value.family);
  return isOne ? value.address : undefined;
}

function addressesOf(chain: Chain): readonly bigint[] {
  return chain.rules.flatMap((rule) => {
    const address = listedAddress(rule);
    return address === undefined || address === 0n ? [] : [address];
  });
}

/** The addresses of the list, in its order; undefined for a group that has none. */
export function listBindable(table: Table, list: BindList): readonly bigint[] | undefined {
  const chain = findChain(table, chainName(list));
  return chain && addressesOf(chain);
}

/** The table with the list, which lets nothing but the unspecified address be bound. */
function withList(table: Table, list: BindList): Table {
  const name = chainName(list);
  if (findChain(table, name)) return table;
  const rules = [addressRule(list.family, 0n), ruleOf([], { kind: 'drop' })];
  return insertRules(appendRules(newChain(table, name), name, rules), 'BIND', 1, [jumpTo(list)]);
}

/** Adds the address behind the others, and makes the list with the first; one that is there stays. */
export function addBindable(table: Table, list: BindList, address: bigint): Table {
  const made = withList(table, list);
  const name = chainName(list);
  const { rules } = findChain(made, name) ?? { rules: [] };
  if (address === 0n || rules.some((rule) => listedAddress(rule) === address)) return made;
  const last = rules.findLastIndex((rule) => listedAddress(rule) !== undefined);
  return insertRules(made, name, last + 2, [addressRule(list.family, address)]);
}

/** Takes the address out of the list; TableError, as the file's EINVAL, if it is not there. */
export function deleteBindable(table: Table, list: BindList, address: bigint): Table {
  const name = chainName(list);
  const chain = findChain(table, name);
  if (!chain || !addressesOf(chain).includes(address))
    throw new TableError('Invalid argument', 'the list has no such address');
  return deleteRule(table, name, addressRule(list.family, address));
}

/**
 * Reads an address of the family. An IPv4 address may be the hexadecimal number that the patch of 2007
 * took: the four bytes as a little-endian machine reads them, so that 0x0100007f is 127.0.0.1.
 */
export function readBindable(text: string, family: Family): Address | undefined {
  const [, digits] = /^(?:0x)?([\da-f]{8})$/i.exec(text) ?? [];
  if (digits !== undefined && family === 4) {
    const bytes = digits.match(/../g)?.toReversed().join('') ?? '';
    return { family, value: BigInt(`0x${bytes}`) };
  }
  const address = readCallAddress(text);
  return address?.family === family && address.value < 1n << BigInt(addressBits(family))
    ? address
    : undefined;
}
