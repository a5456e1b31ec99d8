/** What hooks cost that see all packets or sockets. */
import { pairsBench } from './pairs.js';

/** Tables that attach more and more, and what is called with each. */
const TABLES = {
  nothing: { rules: undefined, kinds: ['sendto', 'raw', 'socket'] },
  'no rule': { rules: '', kinds: ['sendto', 'raw', 'socket'] },
  'a rule of SENDTO': {
    rules: '-A SENDTO -d 10.0.0.1/32 -j DROP\n',
    kinds: ['sendto', 'raw', 'socket'],
  },
  // It refuses raw sockets.
  '--deny-unseen': { rules: '--deny-unseen\n', kinds: ['sendto', 'socket'] },
};

export const unseenBench = () => pairsBench(TABLES);
