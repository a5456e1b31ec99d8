/** What the reader has typed, as the fragment of an address: JSON, deflated, in base64url. */

export interface State {
  readonly rules: string;
  /** The words behind `explain`. */
  readonly call: string;
  /** The words behind `query`. */
  readonly query: string;
}

/** More than that is no address that somebody shared, however well it is packed. */
const MAX_BYTES = 2_000_000;

async function collect(stream: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of stream) {
    size += piece.length;
    if (size > MAX_BYTES) throw new RangeError('the address holds too much');
    pieces.push(piece);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

export async function packState(state: State): Promise<string> {
  const text = new Blob([JSON.stringify(state)]).stream();
  const bytes = await collect(text.pipeThrough(new CompressionStream('deflate-raw')));
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** Undefined for a fragment that is none of ours, or holds too much: others may have made it. */
export async function unpackState(fragment: string): Promise<State | undefined> {
  try {
    const binary = atob(fragment.replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
    const read: unknown = JSON.parse(new TextDecoder().decode(await collect(stream)));
    if (typeof read !== 'object' || read === null) return undefined;
    const { rules, call, query } = { rules: '', call: '', query: '', ...read };
    if (![rules, call, query].every((text) => typeof text === 'string')) return undefined;
    return { rules, call, query };
  } catch {
    return undefined;
  }
}
