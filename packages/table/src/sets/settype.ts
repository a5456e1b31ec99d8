/** The types of named sets: a row for each. */

/**
 * What a part of an element is: an address, a network, the number of a port whatever the protocol, or a
 * service, which is a protocol and a port.
 */
export type SetPart = 'address' | 'network' | 'port' | 'service';

interface SetTypeRow {
  readonly parts: readonly SetPart[];
  /** What ipset calls it. */
  readonly ipset: string;
}

export const SET_TYPES = {
  ip: { parts: ['address'], ipset: 'hash:ip' },
  net: { parts: ['network'], ipset: 'hash:net' },
  port: { parts: ['port'], ipset: 'bitmap:port' },
  'ip,port': { parts: ['address', 'service'], ipset: 'hash:ip,port' },
  'net,port': { parts: ['network', 'service'], ipset: 'hash:net,port' },
} as const satisfies Readonly<Record<string, SetTypeRow>>;

export type SetType = keyof typeof SET_TYPES;

export function isSetType(name: string): name is SetType {
  return Object.hasOwn(SET_TYPES, name);
}

export const SET_TYPE_NAMES: readonly SetType[] = Object.keys(SET_TYPES).filter(isSetType);

/** The type by its name, here or in ipset. */
export function findSetType(name: string): SetType | undefined {
  return SET_TYPE_NAMES.find((type) => type === name || SET_TYPES[type].ipset === name);
}

export function partsOf(type: SetType): readonly SetPart[] {
  return SET_TYPES[type].parts;
}

export function hasPart(type: SetType, ...wanted: readonly SetPart[]): boolean {
  return partsOf(type).some((part) => wanted.includes(part));
}

/** Whether an element can be an exception of another. */
export function hasExceptions(type: SetType): boolean {
  return hasPart(type, 'network');
}

/** Whether its elements are of one address family. */
export function hasAddresses(type: SetType): boolean {
  return hasPart(type, 'address', 'network');
}

/** Which end of the packet a part is compared with. */
export type Side = 'src' | 'dst';

export const SIDES: readonly Side[] = ['src', 'dst'];
