/** The way to a place in a document: keys and indices. */
export type Path = readonly (string | number)[];

/** A path as text. */
export function printPath(path: Path): string {
  return path.reduce<string>((place, step) => {
    if (typeof step === 'number') return `${place}[${step}]`;
    return /^[A-Za-z_]\w*$/.test(step) ? `${place}.${step}` : `${place}[${JSON.stringify(step)}]`;
  }, '$');
}
