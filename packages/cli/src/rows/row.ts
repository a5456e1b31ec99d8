/** What a row says of a command that is a word. */
/** What a word can be: nothing that is known, or something that completion offers. */
export type Filler =
  | 'flag'
  | 'text'
  | 'file'
  /** A file that is written. */
  | 'output'
  | 'chain'
  | 'group'
  | 'set'
  | 'code'
  | readonly string[];

interface Argument {
  readonly name: string;
  readonly filler: Filler;
  readonly optional?: boolean;
  /** The last one may stand several times. */
  readonly many?: boolean;
}

export interface CommandRow {
  /** `save`, `group add`. */
  readonly words: string;
  readonly describe: string;
  readonly args: readonly Argument[];
  /** By long name. */
  readonly options: Readonly<Record<string, Filler>>;
  /** What it works on: the table in force, that or a saved one, or nothing but the files it is given. */
  readonly scope: 'live' | 'table' | 'files';
  /** As typed behind `sockfilter`. */
  readonly examples: readonly [string, string, ...string[]];
}
