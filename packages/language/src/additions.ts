/** New text, by the place where it goes. */
export class Additions<K> {
  readonly #texts = new Map<K, string[]>();

  add(place: K, text: string): void {
    const list = this.#texts.get(place);
    if (list) list.push(text);
    else this.#texts.set(place, [text]);
  }

  /** What goes there, in the order in which it was added. */
  at(place: K): readonly string[] {
    return this.#texts.get(place) ?? [];
  }
}
