/**
 * The folders of pins are root's alone. A bpffs that was mounted without a mode lets anybody make folders in it, and who
 * owns one takes pins out of it, and hooks with them, or puts a table there that nobody has restored.
 */
import { lstatSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { DamageError } from './damage.js';

const WRITABLE_BY_OTHERS = 0o022;

const isOwned = ({ uid }: Stats) => uid === process.geteuid?.();

function requireOwn(folder: string): void {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (!found) return;
  if (found.isDirectory() && isOwned(found) && (found.mode & WRITABLE_BY_OTHERS) === 0) return;
  throw new DamageError(
    `\`${folder}\` is no folder in which only root can write: whoever can takes the rules out of force`,
    `if \`ls -lR ${folder}\` shows pins of root, \`chown -h root ${folder} && chmod 700 ${folder}\`; else remove it`,
  );
}

/** Throws DamageError where others than root may write; what is missing is no fault. */
export function requireOwnFolders(bpffs: string, folder: string): void {
  const mount = lstatSync(bpffs, { throwIfNoEntry: false });
  if (mount && !isOwned(mount))
    throw new DamageError(
      `\`${bpffs}\` belongs to uid ${mount.uid}, who can take the rules out of force`,
      `\`chown root ${bpffs}\`, or mount bpffs anew with \`mode=700\``,
    );
  for (const each of [dirname(folder), folder]) requireOwn(each);
}
