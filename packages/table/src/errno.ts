/** 0 when the call proceeds, else the errno with which it fails. */
export type Errno = number;

/** The errnos that REJECT can give: none makes a caller wait or try again by itself. */
export const REJECT_ERRNO = {
  EPERM: 1,
  EACCES: 13,
  EADDRNOTAVAIL: 99,
  ENETUNREACH: 101,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTUNREACH: 113,
} as const;

export type RejectErrno = keyof typeof REJECT_ERRNO;

export function isRejectErrno(name: string): name is RejectErrno {
  return Object.hasOwn(REJECT_ERRNO, name);
}

/** The errno with which DROP, and a policy of DROP, refuse: EPERM. */
export const DROP_ERRNO: Errno = REJECT_ERRNO.EPERM;

/** `EPERM` for 1; the number where no rule gives it. */
export function errnoName(errno: Errno): string {
  return Object.entries(REJECT_ERRNO).find(([, number]) => number === errno)?.[0] ?? `${errno}`;
}
