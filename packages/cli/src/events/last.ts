/** `sockfilter explain --last`: the last refusal, which the kernel keeps whether somebody reads or not. */
import { EventSource } from '@sockfilter/kernel';
import { EXIT } from '@sockfilter/language';
import { CommandError } from '../failure.js';
import { type Globals, requireLive } from '../globals.js';
import { print } from '../output.js';
import { Knowledge } from './knowledge.js';
import { type Traced, tracedJson, tracedWords, waysOf } from './traced.js';

function readLast(root: string): Traced | undefined {
  const source = EventSource.open(root);
  if (!source) return undefined;
  try {
    const last = source.lastRefusal();
    if (!last) return undefined;
    const { event, start } = last;
    const knowledge = new Knowledge(source);
    const resolution = knowledge.resolve(event, start);
    const tracer = knowledge.tracerOf(event);
    return { event, resolution, ways: tracer ? waysOf(event, resolution, tracer) : [] };
  } finally {
    source.close();
  }
}

export function explainLast(globals: Globals, json: boolean): void {
  requireLive(globals, 'explain --last');
  const last = readLast(globals.root);
  if (!last) throw new CommandError('no call has been refused', EXIT.unfit);
  print(json ? tracedJson(last) : tracedWords(last));
}
