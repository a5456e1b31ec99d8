/** What a command line asks for, as data. */
import type { Policy, Rule } from '@sockfilter/table';

/** Commands that change the table; save files may hold them too. */
export type EditCommand =
  | { readonly kind: 'append' | 'delete'; readonly chain: string; readonly rules: readonly Rule[] }
  | {
      readonly kind: 'insert';
      readonly chain: string;
      /** From 1. */
      readonly number: number;
      /** In the order in which they are to stand. */
      readonly rules: readonly Rule[];
    }
  | { readonly kind: 'delete-number'; readonly chain: string; readonly number: number }
  | {
      readonly kind: 'replace';
      readonly chain: string;
      readonly number: number;
      readonly rule: Rule;
    }
  | { readonly kind: 'flush'; readonly chain: string | undefined }
  | {
      readonly kind: 'zero';
      readonly chain: string | undefined;
      readonly number: number | undefined;
    }
  | { readonly kind: 'new-chain'; readonly chain: string }
  | { readonly kind: 'delete-chain'; readonly chain: string | undefined }
  | { readonly kind: 'policy'; readonly chain: string; readonly policy: Policy }
  | { readonly kind: 'rename-chain'; readonly chain: string; readonly to: string }
  | { readonly kind: 'deny-unseen'; readonly on: boolean };

export type Command =
  | EditCommand
  | { readonly kind: 'check'; readonly chain: string; readonly rules: readonly Rule[] }
  | {
      readonly kind: 'list' | 'list-rules';
      readonly chain: string | undefined;
      readonly number: number | undefined;
      /** Zero the counters that are listed (`-L -Z`). */
      readonly zero: boolean;
    }
  | {
      readonly kind: 'help';
      /** Matches and the target that it is asked about; none for the command as a whole. */
      readonly matches: readonly string[];
      readonly target: string | undefined;
    }
  | { readonly kind: 'version' };

type CommandKind = Command['kind'];

/** Options of the command as a whole. */
export interface CommandFlags {
  /** How often -v is given. */
  readonly verbose: number;
  readonly exact: boolean;
  readonly lineNumbers: boolean;
  /** Listings as nftables JSON. */
  readonly json: boolean;
  /** Seconds to wait for the lock; Infinity for -w alone, undefined without it. */
  readonly wait: number | undefined;
  /** `--file`: edit this save file instead of the live table. */
  readonly file: string | undefined;
  /** `--root`: police this control group and all below it only. */
  readonly root: string | undefined;
}

const EDITS: ReadonlySet<CommandKind> = new Set<EditCommand['kind']>([
  'append',
  'delete',
  'insert',
  'delete-number',
  'replace',
  'flush',
  'zero',
  'new-chain',
  'delete-chain',
  'policy',
  'rename-chain',
  'deny-unseen',
]);

export function isEdit(command: Command): command is EditCommand {
  return EDITS.has(command.kind);
}
