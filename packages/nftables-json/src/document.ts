/** Documents: what `nft -j` prints, and what it reads. */
import type { z } from 'zod';
import { type CommandBodies, commandBodies } from './command.js';
import { type ObjectBodies, objectBodies } from './object.js';
import { integer, type Keyed, keyed, list, optional, record, text } from './schema.js';

/** What nft says of itself at the start of a document. */
export interface Metainfo {
  readonly version?: string;
  readonly release_name?: string;
  readonly json_schema_version?: number;
}

/** What each kind of item holds; the kinds are the keys. An object by itself is one to add. */
export interface ItemBodies extends ObjectBodies, CommandBodies {
  readonly metainfo: Metainfo;
}

export type ItemKind = keyof ItemBodies;

export type Item = Keyed<ItemBodies>;

export interface Document {
  readonly nftables: readonly Item[];
}

const itemBodies: { readonly [K in ItemKind]: z.ZodType<ItemBodies[K]> } = {
  ...objectBodies,
  ...commandBodies,
  metainfo: record<Metainfo>({
    version: optional(text),
    release_name: optional(text),
    json_schema_version: optional(integer),
  }),
};

/** The kinds of objects and commands that the library knows. */
export const ITEM_KINDS: ReadonlySet<string> = new Set(Object.keys(itemBodies));

export const itemSchema = keyed<ItemBodies>('a command or an object', itemBodies);

export const documentSchema: z.ZodType<Document> = record<Document>({ nftables: list(itemSchema) });
