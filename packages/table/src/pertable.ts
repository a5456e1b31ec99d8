/** What follows from a table, made when it is first asked for and as long as the table is there: tables are frozen. */
export function perTable<K extends object, T>(make: (table: K) => T): (table: K) => T {
  const made = new WeakMap<K, { readonly value: T }>();
  return (table) => {
    const known = made.get(table) ?? { value: make(table) };
    made.set(table, known);
    return known.value;
  };
}
