/** How long an answer takes, for reports that say so. */
export function timed<T>(work: () => T): { readonly value: T; readonly seconds: number } {
  // `performance` is a module that has to be loaded.
  const start = process.hrtime.bigint();
  const value = work();
  return { value, seconds: Number(process.hrtime.bigint() - start) / 1e9 };
}
