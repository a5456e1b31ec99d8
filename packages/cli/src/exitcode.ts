/** What the commands exit with: the codes of iptables. */
export const EXIT = {
  ok: 0,
  /** What was asked does not fit the table, or a file can't be read or written. */
  unfit: 1,
  /** It can't be parsed, or is forbidden. */
  usage: 2,
  /** A bug of the tool. */
  bug: 3,
  /** The lock, or something of the kernel. */
  resource: 4,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
