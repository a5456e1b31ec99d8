/** Parts of documents that tests write: between marks that say how. */

/** The document with another text between the marks of that name, `by` what writes it; throws if they are missing. */
export function replacePart(document: string, name: string, by: string, text: string): string {
  const begin = `<!-- ${name}: written by UPDATE=1 npx jest ${by} -->`;
  const end = `<!-- end of ${name} -->`;
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from < 0 || to < from) throw new Error(`no marks of ${name}`);
  return `${document.slice(0, from)}${begin}\n\n${text}\n\n${document.slice(to)}`;
}
