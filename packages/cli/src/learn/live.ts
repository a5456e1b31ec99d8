/** Calls as they happen. */
import { type LearnOptions, learnedWords, type SeenCall } from '@sockfilter/interop';
import type { Group, Packet } from '@sockfilter/table';
import { listen } from '../events/listener.js';
import { type Globals, requireLive } from '../globals.js';
import { note } from '../output.js';

const MS_PER_S = 1000;

/**
 * What passes, for so many seconds or until a signal; what is refused is not learned, and told. Rules that audit,
 * log or trace a call tell of it as well: it is counted at its end.
 */
export async function hearCalls(
  globals: Globals,
  seconds: number | undefined,
  prefix: LearnOptions['prefix'],
): Promise<{ readonly calls: readonly SeenCall[]; readonly groups: readonly Group[] }> {
  requireLive(globals, 'learn --live');
  const seen = new Map<string, { readonly packet: Packet; readonly times: number }>();
  let groups: readonly Group[] = [];
  let [lost, refused, unread] = [0, 0, 0];
  const stop = new AbortController();
  const timer = seconds && setTimeout(() => stop.abort(), seconds * MS_PER_S);
  try {
    await listen(globals, {
      passed: true,
      until: stop.signal,
      begin: (knowledge) => {
        groups = knowledge.groups;
        note(seconds ? `listening for ${seconds} s` : 'listening until ^C');
      },
      hear: (batch, knowledge) => {
        groups = knowledge.groups;
        lost += batch.lost;
        for (const { kind, packet } of batch.events) {
          if (kind === 'refused') refused++;
          else if (kind !== 'passed') continue;
          else if (!packet) unread++;
          else {
            // What the same rule would allow is counted as one: a peer has another port each time.
            const key = `${packet.chain} ${packet.group} ${learnedWords(packet, prefix)}`;
            const known = seen.get(key);
            seen.set(key, { packet: known?.packet ?? packet, times: (known?.times ?? 0) + 1 });
          }
        }
        return true;
      },
    });
  } finally {
    clearTimeout(timer);
  }
  if (lost > 0)
    note(`${lost} events were lost before they were read: what they told is not allowed`);
  if (unread > 0) note(`${unread} events tell of no call that could be read`);
  if (refused > 0)
    note(
      `${refused} calls were refused, and are not learned: audit what refuses them to learn them`,
    );
  return { calls: [...seen.values()], groups };
}
