/** Names of users, groups and services as this system has them, read when a rule first uses one. */
import { readFileSync } from 'node:fs';
import { type Names, readNames } from '@sockfilter/language';

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function lazy(read: () => Names, key: keyof Names): Names[typeof key] {
  let names: Names | undefined;
  return (name) => {
    names ??= read();
    return names[key](name);
  };
}

export const SYSTEM_NAMES: Names = {
  user: lazy(() => readNames({ passwd: readText('/etc/passwd') }), 'user'),
  group: lazy(() => readNames({ group: readText('/etc/group') }), 'group'),
  service: lazy(() => readNames({ services: readText('/etc/services') }), 'service'),
};
