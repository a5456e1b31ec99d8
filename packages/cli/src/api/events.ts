/** Events of the table in force, as they come. */
import { eventJson, isWanted, missingJson } from '@sockfilter/events';
import { type Audience, Listener } from '../events/listener.js';

/** What `monitor --json` prints: a call that was refused, audited, logged or passed; or how many events were lost. */
export type SocketEvent = ReturnType<typeof eventJson> | ReturnType<typeof missingJson>;

export interface EventsOptions {
  /** Calls that pass are events too; each costs the caller more. */
  readonly passed?: boolean;
  /** Ends the events. */
  readonly signal?: AbortSignal;
}

interface Delivery {
  readonly events: readonly SocketEvent[];
  /** Told when they have been taken, and whether more are wanted. */
  readonly taken: (goesOn: boolean) => void;
}

/**
 * Events until the signal, or the loop that reads them, ends. Whoever reads slowly loses events, and is told how many:
 * nothing is kept but what the kernel keeps.
 */
export async function* listenTo(
  root: string,
  { passed = false, signal }: EventsOptions,
  tell: (text: string) => void,
): AsyncGenerator<SocketEvent, void, undefined> {
  signal?.throwIfAborted();
  let deliver: (delivery: Delivery | undefined) => void = () => undefined;
  const nextDelivery = () =>
    new Promise<Delivery | undefined>((resolve) => {
      deliver = resolve;
    });
  let next = nextDelivery();
  const hear: Audience['hear'] = ({ events, lost, start }, knowledge) =>
    new Promise((taken) => {
      const told = events.flatMap((event): SocketEvent[] => {
        const resolution = knowledge.resolve(event, start);
        return isWanted({}, event, resolution.owner) ? [eventJson(event, resolution)] : [];
      });
      if (lost > 0) told.push(missingJson('lost', lost));
      deliver({ events: told, taken });
    });
  const begin = () => undefined;
  const listener = new Listener({ root }, { passed, begin, hear, tell, outputs: [] });
  const end = () => listener.end();
  signal?.addEventListener('abort', end, { once: true });
  const done = listener.run().finally(() => deliver(undefined));
  // Whoever reads hears of a failure when it awaits `done`.
  done.catch(() => undefined);
  let current: Delivery | undefined;
  try {
    for (current = await next; current; current = await next) {
      yield* current.events;
      next = nextDelivery();
      current.taken(true);
    }
  } finally {
    signal?.removeEventListener('abort', end);
    listener.end();
    current?.taken(false);
    await done;
  }
}
