/** `sockfilter doctor`: whether this machine can enforce rules, tried. */
import { type Ability, examine } from '@sockfilter/kernel';
import { EXIT, writeJson } from '@sockfilter/language';
import { printColumns } from './columns.js';
import { CommandError } from './failure.js';
import { type Globals, requireLive } from './globals.js';
import { print } from './output.js';
import { PROBE } from './probe.js';
import { startAgain } from './startagain.js';
import { examineState } from './statedirectory.js';

function stateText({ state, needed }: Ability): string {
  return state === 'fails' && needed ? 'FAILS' : state;
}

export function showAbilities(globals: Globals, json: boolean): void {
  requireLive(globals, 'doctor');
  const abilities = [...examine(globals.root, [...startAgain(), PROBE]), examineState()];
  const failed = abilities.filter(({ state }) => state === 'fails');
  const missing = failed.filter(({ needed }) => needed);
  if (json) print(writeJson({ works: missing.length === 0, abilities }));
  else {
    const rows = abilities.map((each) => [each.name, stateText(each), each.detail]);
    const help = failed.flatMap(({ name, help: way }) => (way ? [`${name}: ${way}\n`] : []));
    print([printColumns([['ABILITY', 'STATE', 'FOUND'], ...rows]), ...help].join('\n'));
  }
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => `\`${name}\``).join(', ');
  throw new CommandError(`this machine can't enforce rules: ${names} failed`, EXIT.unfit);
}
