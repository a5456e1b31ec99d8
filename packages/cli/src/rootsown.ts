/** Files that root alone can replace. */
import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const BY_GROUP = 0o020;
const BY_ALL = 0o002;
/** In such a folder only the owner of a file takes it away. */
const STICKY = 0o1000;

function isWritable(path: string): boolean {
  const found = statSync(path);
  if (found.uid !== 0) return true;
  const others = found.mode & (found.gid === 0 ? BY_ALL : BY_ALL | BY_GROUP);
  return others !== 0 && !(found.isDirectory() && (found.mode & STICKY) !== 0);
}

function findWritable(path: string): string | undefined {
  if (isWritable(path)) return path;
  const above = dirname(path);
  return above === path ? undefined : findWritable(above);
}

/** What others than root may write of the file and the folders above it; undefined if nothing. */
export function writableByOthers(path: string): string | undefined {
  return findWritable(realpathSync(path));
}
