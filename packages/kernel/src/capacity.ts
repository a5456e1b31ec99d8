/** A limit of what the kernel side can hold was reached; nothing has changed. */
export class CapacityError extends Error {
  override readonly name = 'CapacityError';
  readonly help: string | undefined;

  constructor(what: string, needed: number, limit: number, help?: string) {
    super(`${what}: ${needed} are needed, the limit is ${limit}`);
    this.help = help;
  }
}
