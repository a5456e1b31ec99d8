/** Rules and policies that would refuse calls, and only say so. */
import { isEmpty, witness } from '@sockfilter/diagram';
import { auditedErrno, errnoName, ownerName } from '@sockfilter/table';
import type { Check } from '../context.js';

export const findAudited: Check = function* (context) {
  const { file, loaded, owners } = context;
  for (const [counter, owner] of owners.entries()) {
    const errno = auditedErrno(owner);
    if (errno === undefined) continue;
    const decided = loaded.decidedBy(counter);
    if (isEmpty(decided)) continue;
    yield context.find('SF022', {
      place: file.placeOf(owner.rule ?? owner.chain),
      message: `calls pass that ${ownerName(owner)} would refuse with ${errnoName(errno)}: it is audited`,
      packet: witness(decided),
      fix: 'without `--audit` it refuses them',
    });
  }
};
