/** What a row of the attack table is. */
import type { BuiltinChain } from '@sockfilter/table';
import type { Caller } from '../harness/caller.js';
import type { Need } from './needs.js';
import type { Scene } from './scene.js';

/**
 * As whom an attempt is made.
 *
 * - user: uid 65534
 * - root: uid 0 without CAP_SYS_ADMIN
 * - namespace root: uid 65534 that is root of a user and a network namespace of its own
 * - administrator: uid 0 with all capabilities
 */
export type Role = 'user' | 'root' | 'namespace root' | 'administrator';

/** One of the two ends that an attempt aims at. The policy refuses one and allows the other. */
export interface End {
  readonly name: 'refused' | 'allowed';
  /** Peers: where CONNECT and SENDTO lead, and where ACCEPT's and RECVFROM's callers call from. */
  readonly v4: string;
  readonly v6: string;
  readonly multicast: string;
  /** A device whose addresses are such peers too. */
  readonly device: { readonly name: string; readonly v4: string; readonly broadcast: string };
  /** What BIND is asked for: any port of the addresses, and the port anywhere. */
  readonly own: { readonly v4: string; readonly v6: string; readonly port: number };
  /** Addresses in whose stead calls are given those of the end, by DNAT: peers, and of ours. */
  readonly given: Readonly<Record<'v4' | 'v6' | 'own4' | 'own6', string>>;
  /** The group that has, or has not, leave to do all. */
  readonly group: string;
}

export interface Attempt {
  readonly scene: Scene;
  readonly role: Role;
  /** Within the policed group, in the role. */
  readonly caller: Caller;
  readonly end: End;
  /** How many ms a peer tries: few where nothing should arrive, many where something must. */
  readonly patience: number;
}

export interface Outcome {
  /** `ok`, an errno, or `silence` where the attempt is not told. */
  readonly said: string;
  /** Whether it reached the end; left out where the scene's servers there hear it. */
  readonly arrived?: boolean;
}

export interface Technique {
  readonly name: string;
  readonly chain: BuiltinChain;
  readonly as: readonly Role[];
  /** What the attempt at the refused end comes to. */
  readonly expected: string;
  /**
   * What must arrive: the attempt at the allowed end, or, of what some kernels let the table only refuse
   * altogether, the very attempt of a caller outside the policy.
   */
  readonly twin?: 'unpoliced';
  readonly note?: string;
  /** The oldest kernel that has what it uses, where 6.1 may not. */
  readonly since?: string;
  /** What not every machine has. */
  readonly needs?: Need;
  readonly attempt: (attempt: Attempt) => Promise<Outcome>;
}

/** Techniques that have something in common. */
export interface Theme {
  readonly title: string;
  readonly techniques: readonly Technique[];
}
