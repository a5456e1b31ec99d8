/** An address with a port, as words of a call have it. */

export interface EndpointWords {
  readonly address: string | undefined;
  readonly port: string | undefined;
}

/** `A:P`, `[A]:P`, `A`, `[A]` or `:P`; an IPv6 address with a port needs the brackets. */
export function splitEndpoint(text: string | undefined): EndpointWords {
  if (text === undefined) return { address: undefined, port: undefined };
  const [, inside, plain, port] = /^(?:\[(.*)\]|([^:]*))(?::(\d+))?$/.exec(text) ?? [];
  const address = inside ?? plain ?? text;
  return { address: address === '' && port !== undefined ? undefined : address, port };
}
