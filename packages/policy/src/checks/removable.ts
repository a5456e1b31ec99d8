/** Rules that calls meet, but that could go without a change of any verdict. */
import type { Check } from '../context.js';
import { ownerNote } from '../rulefile.js';

export const findRemovableRules: Check = function* (context) {
  const { dead, file, loaded, tracer } = context;
  for (const counter of loaded.redundantCounters()) {
    const { rule } = loaded.ownerOf(counter);
    // A rule without a target is there to count.
    if (!rule?.target || dead.has(counter)) continue;
    yield context.find('SF004', {
      place: file.placeOf(rule),
      message: 'without this rule every call would get the same verdict',
      fix: 'remove it, unless its counter is wanted',
      proof: () => {
        const packet = loaded.exampleOf(counter);
        const next = packet && tracer.decide(packet, { without: rule });
        const notes = next
          ? [ownerNote(file, next.decider, 'without it ', ' gives this call the same verdict')]
          : [];
        return { packet, notes };
      },
    });
  }
};
