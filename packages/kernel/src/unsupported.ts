/** What this machine or this kernel can't do; says what is needed and how to get it. */
export class UnsupportedError extends Error {
  override readonly name = 'UnsupportedError';
  readonly help: string | undefined;

  constructor(message: string, help?: string) {
    super(message);
    this.help = help;
  }
}
