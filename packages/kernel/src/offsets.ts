/** Where the fields of the kernel's structures lie that no stable interface shows. */
import { type Btf, fieldOffset } from '@sockfilter/bpf';

/** Byte offsets, as this kernel's BTF gives them. */
export interface Offsets {
  readonly sockCgroup: number;
  readonly sockUid: number;
  readonly inetSaddr: number;
  readonly cgroupNode: number;
  readonly cgroupRoot: number;
  readonly cgroupParent: number;
  readonly nodeId: number;
  readonly rootHierarchy: number;
  readonly taskFlags: number;
  readonly skbTransport: number;
  readonly skbNetwork: number;
}

/** Throws, naming it, for a field that this kernel does not have. */
export function readOffsets(btf: Btf): Offsets {
  return {
    sockCgroup: fieldOffset(btf, 'sock', 'sk_cgrp_data.cgroup'),
    sockUid: fieldOffset(btf, 'sock', 'sk_uid'),
    inetSaddr: fieldOffset(btf, 'inet_sock', 'inet_saddr'),
    cgroupNode: fieldOffset(btf, 'cgroup', 'kn'),
    cgroupRoot: fieldOffset(btf, 'cgroup', 'root'),
    // A cgroup begins with its own css, so that the parent's css is the parent.
    cgroupParent: fieldOffset(btf, 'cgroup', 'self.parent') - fieldOffset(btf, 'cgroup', 'self'),
    nodeId: fieldOffset(btf, 'kernfs_node', 'id'),
    rootHierarchy: fieldOffset(btf, 'cgroup_root', 'hierarchy_id'),
    taskFlags: fieldOffset(btf, 'task_struct', 'flags'),
    skbTransport: fieldOffset(btf, 'sk_buff', 'transport_header'),
    skbNetwork: fieldOffset(btf, 'sk_buff', 'network_header'),
  };
}
