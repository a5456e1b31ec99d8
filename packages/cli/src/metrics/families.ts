/** What is in force, in numbers. */
import type { Status } from '@sockfilter/kernel';
import { ruleComment } from '@sockfilter/policy';
import { auditedErrno, counterOwners, ownTarget, type Table, targetText } from '@sockfilter/table';
import type { Counters } from '../opentable.js';
import type { Family, Labels, Sample } from './exposition.js';

/** What is read of an instance at one moment. */
export interface InForce {
  readonly status: Status;
  readonly table: Table;
  readonly counters: Counters;
  readonly version: string;
  /** Of the text in force. */
  readonly hash: string;
  readonly label: string | undefined;
}

const one = (value: number | bigint, labels: Labels = {}): readonly Sample[] => [{ labels, value }];

function gauge(name: string, help: string, value: number | undefined): Family {
  const samples = value === undefined ? [] : one(value);
  return { name: `sockfilter_${name}`, type: 'gauge', help, samples };
}

function ruleCalls({ table, counters }: InForce): Family {
  const samples = counterOwners(table).flatMap((owner): readonly Sample[] => {
    const { chain, rule, number } = owner;
    if (!rule) return [];
    const labels = {
      chain: chain.name,
      rule: String(number),
      target: rule.target ? targetText(rule.target) : '',
      comment: ruleComment(rule) ?? '',
    };
    return one(counters(owner), labels);
  });
  const help = 'Calls that the rule has matched.';
  return { name: 'sockfilter_rule_calls', type: 'counter', help, samples };
}

function policyCalls({ table, counters }: InForce): Family {
  const samples = counterOwners(table).flatMap((owner): readonly Sample[] => {
    const { chain, rule } = owner;
    if (rule) return [];
    return one(counters(owner), { chain: chain.name, policy: targetText(ownTarget(owner)) });
  });
  const help = 'Calls that no rule of the chain decided.';
  return { name: 'sockfilter_policy_calls', type: 'counter', help, samples };
}

function hooks({ status }: InForce, name: 'attached' | 'needed', help: string): Family {
  const samples = status.hooks.map(({ name: hook, attached, needed }) => ({
    labels: { hook },
    value: Number(name === 'attached' ? attached : needed),
  }));
  return { name: `sockfilter_hook_${name}`, type: 'gauge', help, samples };
}

/** What readers of events have seen, from when they began on. */
export interface Heard {
  /** By group and chain. */
  readonly refused: readonly { readonly labels: Labels; readonly value: number }[];
  readonly lost: number;
}

/** The families of what was heard. */
export function heardFamilies({ refused, lost }: Heard): readonly Family[] {
  return [
    {
      name: 'sockfilter_refused_calls',
      type: 'counter',
      help: 'Calls that were refused since the metrics are served.',
      samples: refused,
    },
    {
      name: 'sockfilter_events_lost',
      type: 'counter',
      help: 'Events that came faster than they could be read: refused calls among them are not counted.',
      samples: one(lost),
    },
  ];
}

function limits({ limits: all = [] }: Status): readonly Family[] {
  const samples = (of: 'used' | 'most') =>
    all.map(({ resource, ...limit }) => ({ labels: { resource }, value: limit[of] }));
  return [
    {
      name: 'sockfilter_resource_used',
      type: 'gauge',
      help: 'How much of what is bounded is used.',
      samples: samples('used'),
    },
    {
      name: 'sockfilter_resource_limit',
      type: 'gauge',
      help: 'How much of it there can be.',
      samples: samples('most'),
    },
  ];
}

/** The families of what is in force at a root; of nothing but that where nothing is. */
export function familiesOf(root: string, found: InForce | undefined): readonly Family[] {
  const installed = gauge('installed', 'Whether rules are in force.', found ? 1 : 0);
  if (!found) return [installed];
  const { status, table, version, hash, label = '' } = found;
  const audited = counterOwners(table).filter((owner) => auditedErrno(owner) !== undefined).length;
  return [
    installed,
    {
      name: 'sockfilter_table_info',
      type: 'gauge',
      help: 'What is in force: the release, the policed control group, the label and the hash of the text.',
      samples: one(1, { version, root, label, sha256: hash }),
    },
    {
      name: 'sockfilter_commits',
      type: 'counter',
      help: 'Commits since the first.',
      samples: one(status.sequence),
    },
    gauge(
      'commit_timestamp_seconds',
      'When the last commit was, in seconds since 1970.',
      status.committed === undefined ? undefined : status.committed / 1000,
    ),
    gauge('rules', 'Rules in force.', status.rules),
    gauge('audited', 'Rules and policies that only say what they would refuse.', audited),
    gauge('nodes', 'Nodes of the decision diagram.', status.nodes),
    gauge('memory_bytes', 'Kernel memory of the generation in force.', status.bytes),
    gauge('groups', 'Groups of the table.', table.groups.length),
    gauge('cgroups', 'Control groups that have an entry.', status.cgroups),
    gauge('cgroups_limit', 'Control groups that can have an entry.', status.cgroupCapacity),
    gauge('cgroups_removed', 'Removed control groups that sockets still hold.', status.removed),
    gauge('trial_seconds', 'Seconds until a table on trial is undone.', status.trialSeconds),
    ...limits(status),
    hooks(found, 'needed', 'Whether the table needs the hook.'),
    hooks(found, 'attached', 'Whether the hook is attached.'),
    policyCalls(found),
    ruleCalls(found),
  ];
}
