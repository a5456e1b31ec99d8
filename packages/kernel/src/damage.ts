/** What is in force is not whole, or is pinned elsewhere: nothing was changed. */
export class DamageError extends Error {
  override readonly name = 'DamageError';
  readonly help: string;

  constructor(message: string, help: string) {
    super(message);
    this.help = help;
  }
}
