/** What every command exits with. The codes are those of iptables. */
export const EXIT = {
  ok: 0,
  /** What was asked does not fit the table; or there are findings, failed expectations, a difference. */
  unfit: 1,
  /** It can't be parsed, or is forbidden: words, and files that are not there or can't be read. */
  usage: 2,
  /** A bug of the tool. */
  bug: 3,
  /** The lock, a limit, or something of the kernel. */
  resource: 4,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
