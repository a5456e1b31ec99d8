import { constants } from 'node:os';
import { missingPrivilege } from './privilege.js';

const NAMES: ReadonlyMap<number, string> = new Map([
  ...Object.entries(constants.errno).map(([name, number]): [number, string] => [number, name]),
  // EAGAIN has the number of EWOULDBLOCK, EOPNOTSUPP that of ENOTSUP: these are the names of strerror.
  [constants.errno.EAGAIN, 'EAGAIN'],
  [constants.errno.EOPNOTSUPP, 'EOPNOTSUPP'],
  [117, 'EUCLEAN'],
  // ENOTSUPP is the kernel's own and was never meant to leave it; bpf(2) returns it all the same.
  [524, 'ENOTSUPP'],
]);

const { EACCES, EPERM } = constants.errno;

/** The name of an error number, such as `EPERM`; `errno 999` for one without a name. */
export function errnoName(errno: number): string {
  return NAMES.get(errno) ?? `errno ${errno}`;
}

/**
 * A system call that the kernel refused.
 *
 * `call` says what was asked (`BPF_PROG_LOAD of connect4`), `errno` is the positive number and `code`
 * its name, and `log` is the whole verifier log where a program was refused; `help` says which privilege is
 * missing, where that is why.
 */
export class BpfError extends Error {
  override readonly name = 'BpfError';
  readonly call: string;
  readonly errno: number;
  readonly code: string;
  readonly log: string | undefined;
  readonly help: string | undefined;

  constructor(call: string, errno: number, detail?: string, log?: string) {
    const code = errnoName(errno);
    super(detail === undefined ? `${call}: ${code}` : `${call}: ${code}: ${detail}`);
    this.call = call;
    this.errno = errno;
    this.code = code;
    this.log = log;
    // With a log it is the verifier that has refused.
    const isPrivilege = (errno === EPERM || errno === EACCES) && !log;
    this.help = isPrivilege ? missingPrivilege(call) : undefined;
  }
}
