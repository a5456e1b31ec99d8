/** What a teardown takes away. */
import { detach } from './attachment.js';
import { JUDGING_HOOKS } from './hooks.js';
import { isPinName } from './instance.js';
import { MAPS } from './mapnames.js';
import type { Pins } from './pins.js';
import { discardNext } from './upgrade.js';

/** Detaches the hooks and removes all pins of ours; gives the names in their folder that are not ours, which stay. */
export function removePins(pins: Pins): readonly string[] {
  for (const hook of JUDGING_HOOKS) detach(pins, hook);
  const isOurs = (name: string) => isPinName(name) && pins.isPin(name);
  discardNext(pins);
  const names = pins.list();
  // The table goes last: with any other pin left the next command knows that this one did not end.
  for (const name of names.filter((each) => each !== MAPS.table))
    if (isOurs(name)) pins.unpin(name);
  if (isOurs(MAPS.table)) pins.unpin(MAPS.table);
  pins.removeFolder();
  return names.filter((name) => !isOurs(name) && pins.list().includes(name));
}
