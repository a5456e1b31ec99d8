/** What other destinations cost, and what they cost those who are given none; and sets whose elements count. */
import { pairsBench } from './pairs.js';

const ASKED = '-d 10.9.9.1/32 -p udp';
const CALLS = ['connect', 'sendto'];
/** Of sockets that were given no other destination: what the hooks cost that would tell the one asked for. */
const ANSWERS = ['getpeername', 'talk'];

/** A rule for CONNECT and SENDTO. */
const both = (rule) => ['CONNECT', 'SENDTO'].map((chain) => `-A ${chain} ${rule}\n`).join('');
const SET = (options) =>
  `create s ip ${options}\nadd s 10.9.9.1\n${both('-m set --match-set s dst -j ACCEPT')}`;

const TABLES = {
  'no policy': { rules: undefined, kinds: [...CALLS, ...ANSWERS] },
  'a rule': { rules: both(`${ASKED} -j ACCEPT`), kinds: [...CALLS, ...ANSWERS] },
  DNAT: {
    rules: both(`${ASKED} --dport 9 -j DNAT --to-destination 10.9.9.1:10`),
    kinds: [...CALLS, ...ANSWERS],
  },
  'a range': {
    rules: both(`${ASKED} --dport 9 -j DNAT --to-destination 10.9.9.1:10-25`),
    kinds: CALLS,
  },
  'a range, --persistent': {
    rules: both(`${ASKED} --dport 9 -j DNAT --to-destination 10.9.9.1:10-25 --persistent`),
    kinds: CALLS,
  },
  'a set': { rules: SET(''), kinds: CALLS },
  'a set with counters': { rules: SET('counters'), kinds: CALLS },
};

export const rewrittenBench = () => pairsBench(TABLES);
