/** Files that refuse what goes out, and leave sockets open whose calls no hook sees, without saying that they do. */
import { builtinChain } from '@sockfilter/table';
import type { Check } from '../context.js';

export const findUnseenSockets: Check = function* (context) {
  const { file, table } = context;
  if (table.denyUnseen || file.saysUnseen) return;
  const chain = builtinChain(table, 'CONNECT');
  if (chain.policy !== 'DROP' || builtinChain(table, 'SENDTO').policy !== 'DROP') return;
  yield context.find('SF021', {
    place: file.placeOf(chain),
    message: 'SCTP, DCCP and UDP-Lite sockets pass by what CONNECT and SENDTO refuse',
    fix: 'a line `--deny-unseen` refuses to make them; `--deny-unseen off` says that they may be',
  });
};
