/**
 * The hook behind bind(2): what the socket is bound to now, before the call returns.
 *
 * The hook of the call has judged what was asked for. This one judges what came of it: the port that
 * the kernel chose for port 0, from a range that the caller may have narrowed to one port
 * (IP_LOCAL_PORT_RANGE), and an address that another's program wrote in place of the caller's. What was
 * bound as it was asked for gets the same answer again; only a refusal counts. Context: struct
 * bpf_sock; refusing makes the kernel unbind the socket.
 */
import {
  label,
  load,
  mov,
  type ProgramSpec,
  R1,
  R2,
  R6,
  R8,
  R9,
  R10,
  store,
} from '@sockfilter/bpf';
import { BUILTIN_CHAINS, type Family } from '@sockfilter/table';
import type { Offsets } from '../offsets.js';
import { putBound4, putBound6 } from './address.js';
import { askFunction } from './ask.js';
import { callerCgroup, finish, PROCEEDS, putOwner } from './caller.js';
import { putAskedBind, refuseUnlessBound } from './destination.js';
import { detailFunction, putDetails } from './details.js';
import {
  DECIDED,
  enter,
  findGeneration,
  LICENSE,
  REFUSED,
  refuseIfRefusing,
  UNREADABLE,
  unlessRefusing,
} from './generation.js';
import { groupFunction, putGroup } from './group.js';
import { peekMark, putMark } from './mark.js';
import { type Reporting, reportFunction } from './report.js';
import { CONTEXT, clearPacket, numberOf, peek, put16, putConstant } from './stack.js';
import { walk } from './walk.js';

const SK = { protocol: 12, port: 44 } as const;

const REPORTING: Reporting = { context: 'bpf_sock', socket: [mov(R1, R6)], who: 'caller' };

/** The program that judges what bind(2) made of a socket of a family. Linux 5.18 (bpf_set_retval). */
export function postBindProgram(family: Family, offsets: Offsets): ProgramSpec {
  const cgroup = callerCgroup(numberOf(R9), offsets);
  return {
    name: `sf_post_bind${family}`,
    type: 'cgroup_sock',
    expectedAttachType: family === 4 ? 'inet4_post_bind' : 'inet6_post_bind',
    license: LICENSE,
    functions: [
      askFunction(),
      reportFunction(REPORTING, offsets),
      detailFunction(offsets, 'again'),
      groupFunction(),
    ],
    items: [
      mov(R9, R1),
      store(8, R10, CONTEXT, R9),
      ...findGeneration(),
      ...unlessRefusing('BIND', PROCEEDS),
      ...clearPacket(),
      ...putConstant('chain', BUILTIN_CHAINS.indexOf('BIND')),
      load(4, R8, R9, SK.protocol),
      ...put16('protocol', R8),
      load(4, R1, R9, SK.port),
      ...put16('destinationPort', R1),
      ...(family === 4 ? putBound4(R9) : putBound6(R9)),
      ...putAskedBind('post', [mov(R2, R9)]),
      ...putMark(['BIND'], peekMark(numberOf(R9), offsets, UNREADABLE)),
      ...putOwner('BIND', numberOf(R9), offsets),
      ...putGroup('BIND', cgroup('call', UNREADABLE)),
      ...putDetails(
        'BIND',
        {
          socket: numberOf(R9),
          named: [...numberOf(R9), ...peek(offsets.sockDevice, 4, UNREADABLE)],
        },
        UNREADABLE,
      ),
      ...enter('BIND'),
      ...walk(offsets, { name: 'again', decided: DECIDED, counts: 'refusals' }),
      label(UNREADABLE),
      ...refuseIfRefusing('BIND'),
      ...finish(cgroup, refuseUnlessBound('post', REFUSED)),
    ],
  };
}
