/** Findings that are about a way of working rather than a file: one of them speaks for all files of a run. */
import { CATALOGUE, type CatalogueRow, type Code } from './catalogue.js';
import type { Finding } from './finding.js';

function isToldOnce(code: Code): boolean {
  const row: CatalogueRow = CATALOGUE[code];
  return row.once === true;
}

/** Keeps, of each code that is told once, the first finding, with a note about the files of the others. */
export function tellOnce(files: readonly (readonly Finding[])[]): readonly (readonly Finding[])[] {
  const first = new Map<Code, Finding>();
  const others = new Map<Code, Set<string>>();
  for (const finding of files.flat()) {
    const told = first.get(finding.code);
    if (!told || !isToldOnce(finding.code)) first.set(finding.code, finding);
    else if (told.place.file !== finding.place.file) {
      const names = others.get(finding.code) ?? new Set();
      others.set(finding.code, names.add(finding.place.file));
    }
  }
  return files.map((findings) =>
    findings.flatMap((finding) => {
      if (!isToldOnce(finding.code)) return [finding];
      if (first.get(finding.code) !== finding) return [];
      const [name, ...more] = others.get(finding.code) ?? [];
      if (name === undefined) return [finding];
      const rest =
        more.length === 0 ? '' : ` and ${more.length} more file${more.length > 1 ? 's' : ''}`;
      return [
        { ...finding, notes: [...finding.notes, { message: `likewise \`${name}\`${rest}` }] },
      ];
    }),
  );
}
