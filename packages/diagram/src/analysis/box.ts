/** Boxes of packets: what a set is described by, and made from. */
import { type Clause, FIELD_BITS, type Field, type Range } from '@sockfilter/table';
import { normalSpans, type Span, spanKey, spanTests } from './span.js';

export type AddressField = 'source' | 'destination';

/** Fields that rules look at by bits. */
export type MaskedField = AddressField | 'mark';

/**
 * A product of sets, one for each field; a field that is absent takes any value. Ranges are sorted, and
 * neither overlap nor touch; cubes come after them, and share no value with another span.
 */
export type Box = Partial<
  Readonly<
    Record<MaskedField, readonly Span[]> & Record<Exclude<Field, MaskedField>, readonly Range[]>
  >
>;

/** A box with texts that are the same for the same box: of each of FIELDS, and of all. */
export interface KeyedBox {
  readonly box: Box;
  readonly parts: readonly string[];
  readonly key: string;
}

function isField(name: string): name is Field {
  return Object.hasOwn(FIELD_BITS, name);
}

/** The fields of a box, in the order in which diagrams ask. */
export const FIELDS: readonly Field[] = Object.keys(FIELD_BITS).filter(isField);

export function isAddress(field: Field): field is AddressField {
  return field === 'source' || field === 'destination';
}

export function isMasked(field: Field): field is MaskedField {
  return isAddress(field) || field === 'mark';
}

/** True if the field is named with each of its values apart: an address is another in each family. */
export function isNamed(field: Field, { box }: { readonly box: Box }): boolean {
  return field === 'family' && (box.source ?? box.destination) !== undefined;
}

/** What must hold of the packets in the box. */
export function boxClauses(box: Box): readonly Clause[] {
  return FIELDS.flatMap((field): Clause[] => {
    const spans = box[field];
    return spans ? [spanTests(field, spans)] : [];
  });
}

/** The box without restrictions. */
export const WHOLE_BOX: KeyedBox = { box: {}, parts: FIELDS.map(() => ''), key: '' };

/** The box with other spans of the field, in any order; without the field if there are none. */
export function withField(keyed: KeyedBox, field: Field, spans?: readonly Span[]): KeyedBox {
  const { [field]: _, ...rest } = keyed.box;
  const normal = spans && normalSpans(spans);
  const fields = normal ? { ...rest, [field]: normal } : rest;
  const parts = keyed.parts.with(FIELDS.indexOf(field), normal?.map(spanKey).join(' ') ?? '');
  return { box: inOrder(fields), parts, key: parts.join(';') };
}

function inOrder(box: Box): Box {
  return Object.fromEntries(FIELDS.flatMap((field) => (box[field] ? [[field, box[field]]] : [])));
}
