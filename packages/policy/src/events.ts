/** Reads what `monitor --json` has printed; zod is loaded with the first call. */
import type { EventLine } from './eventschema.js';

export type { EventLine } from './eventschema.js';

export interface EventFault {
  /** Counted from 1. */
  readonly line: number;
  readonly message: string;
}

export interface ReadEvents {
  readonly events: readonly EventLine[];
  readonly faults: readonly EventFault[];
}

function parseLine(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Every line that is not empty is an event, or a fault. */
export async function readEvents(text: string): Promise<ReadEvents> {
  const { EVENT_LINE } = await import('./eventschema.js');
  const events: EventLine[] = [];
  const faults: EventFault[] = [];
  for (const [at, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const { success, data, error } = EVENT_LINE.safeParse(parseLine(line));
    if (success) events.push(data);
    else {
      const [issue] = error.issues;
      const path = issue?.path.join('.') ?? '';
      const message = `this is no event of \`sockfilter monitor --json\`${path === '' ? '' : `: \`${path}\``}`;
      faults.push({ line: at + 1, message });
    }
  }
  return { events, faults };
}
