/** What programs are made for: where the fields of the kernel's structures lie that no stable interface shows. */
import {
  type Btf,
  type Flag,
  fieldOffset,
  findFlag,
  hasField,
  hasMayGoto,
  kernelBtf,
} from '@sockfilter/bpf';
import { UnsupportedError } from './unsupported.js';

/** Byte offsets, as this kernel's BTF gives them. */
export interface Offsets {
  /** Whether the verifier takes a loop to end by may_goto, and looks at no step of it twice. */
  readonly mayGoto: boolean;
  readonly sockCgroup: number;
  readonly sockUid: number;
  readonly sockMark: number;
  /** The device that it is bound to. */
  readonly sockDevice: number;
  /** Set once bind(2) has named the port; clear while the port is one that the kernel chose. */
  readonly sockPortLock: Flag;
  /** Set of a socket that the kernel has for itself. */
  readonly sockKernel: Flag;
  /** Pointers to follow from a socket to its network namespace, and that one's cookie. */
  readonly sockNet: number;
  readonly netCookie: number;
  /** In a network namespace, the inode that names it. */
  readonly netInode: number;
  readonly sockSocket: number;
  /** From a socket to the owner that its inode names. */
  readonly socketOwner: { readonly uid: number; readonly gid: number };
  readonly socketFile: number;
  readonly fileCred: number;
  readonly credFsuid: number;
  readonly credFsgid: number;
  readonly inetSaddr: number;
  /** The device of IP_UNICAST_IF. */
  readonly inetDevice: number;
  /** The IPv4 options of a socket, and in them whether they route by way of other hosts. */
  readonly inetOptions: number;
  readonly optionsRoute: number;
  /** What a sock_addr hook is handed beside the address: of an IPv4 send the source in its ipcm_cookie. */
  readonly callDetail: number;
  /** In that cookie, from its source on. */
  readonly cookieDevice: number;
  /** The device of an IPv6 send, from where its flow has the source. */
  readonly flowDevice: number;
  readonly cookieOptions: number;
  readonly deviceName: number;
  /** Undefined where they can't be found. */
  readonly devices: DeviceOffsets | undefined;
  /** Undefined of a kernel without IPv6. */
  readonly ipv6: Ipv6Offsets | undefined;
  readonly cgroupNode: number;
  readonly cgroupRoot: number;
  readonly cgroupParent: number;
  readonly nodeId: number;
  readonly nodeName: number;
  readonly rootHierarchy: number;
  readonly taskFlags: number;
  readonly taskCred: number;
  readonly skbTransport: number;
  readonly skbNetwork: number;
  readonly skbDevice: number;
  readonly listener: ListenerOffsets;
}

/** What a listening socket is, as accept(2) finds it. */
export interface ListenerOffsets {
  /** From a struct socket. */
  readonly socket: number;
  readonly family: number;
  readonly state: number;
  readonly protocol: number;
  readonly port: number;
  readonly ipv4: number;
  /** Of a kernel with IPv6. */
  readonly ipv6: { readonly address: number; readonly only: Flag } | undefined;
  /** The first connection that waits. */
  readonly queue: number;
  /** Of a kernel with MPTCP: from its socket to the one of TCP that listens. */
  readonly subflow: number | undefined;
}

/** To the devices of a socket's network namespace, in a hash table by index, and to their addresses. */
export interface DeviceOffsets {
  /** Pointers to follow from a socket to the table. */
  readonly table: readonly number[];
  /** Where a device has its node in the table. */
  readonly node: number;
  /** From a device's node in the table on: its index, and what it has of IPv4. */
  readonly index: number;
  readonly ipv4: number;
  /** The list of addresses. */
  readonly addresses: number;
  readonly next: number;
  readonly flags: number;
  readonly address: number;
}

function readDevices(btf: Btf): DeviceOffsets | undefined {
  if (!hasField(btf, 'net', 'dev_index_head')) return undefined;
  const node = fieldOffset(btf, 'net_device', 'index_hlist');
  return {
    table: [
      fieldOffset(btf, 'sock', '__sk_common.skc_net.net'),
      fieldOffset(btf, 'net', 'dev_index_head'),
    ],
    node,
    index: fieldOffset(btf, 'net_device', 'ifindex') - node,
    ipv4: fieldOffset(btf, 'net_device', 'ip_ptr') - node,
    addresses: fieldOffset(btf, 'in_device', 'ifa_list'),
    next: fieldOffset(btf, 'in_ifaddr', 'ifa_next'),
    flags: fieldOffset(btf, 'in_ifaddr', 'ifa_flags'),
    address: fieldOffset(btf, 'in_ifaddr', 'ifa_local'),
  };
}

export interface Ipv6Offsets {
  /** From a socket to what it has of IPv6: its source and its options. */
  readonly info: number;
  readonly source: number;
  readonly options: number;
  /** The device of IPV6_UNICAST_IF. */
  readonly device: number;
  /** The routing header in options. */
  readonly optionsRoute: number;
  /** Pointers to follow from a socket to the list of its flow labels. */
  readonly labels: readonly number[];
  readonly labelNext: number;
  readonly label: number;
  readonly labelOptions: number;
}

function readIpv6(btf: Btf): Ipv6Offsets | undefined {
  if (!hasField(btf, 'inet_sock', 'pinet6')) return undefined;
  const info = fieldOffset(btf, 'inet_sock', 'pinet6');
  return {
    info,
    source: fieldOffset(btf, 'ipv6_pinfo', 'saddr'),
    options: fieldOffset(btf, 'ipv6_pinfo', 'opt'),
    device: fieldOffset(btf, 'ipv6_pinfo', 'ucast_oif'),
    optionsRoute: fieldOffset(btf, 'ipv6_txoptions', 'srcrt'),
    labels: hasField(btf, 'inet_sock', 'ipv6_fl_list')
      ? [fieldOffset(btf, 'inet_sock', 'ipv6_fl_list')]
      : [info, fieldOffset(btf, 'ipv6_pinfo', 'ipv6_fl_list')],
    labelNext: fieldOffset(btf, 'ipv6_fl_socklist', 'next'),
    label: fieldOffset(btf, 'ipv6_fl_socklist', 'fl'),
    labelOptions: fieldOffset(btf, 'ip6_flowlabel', 'opt'),
  };
}

function readListener(btf: Btf): ListenerOffsets {
  const common = (name: string) => fieldOffset(btf, 'sock', `__sk_common.${name}`);
  return {
    socket: fieldOffset(btf, 'socket', 'sk'),
    family: common('skc_family'),
    state: common('skc_state'),
    protocol: fieldOffset(btf, 'sock', 'sk_protocol'),
    port: common('skc_num'),
    ipv4: common('skc_rcv_saddr'),
    ipv6: hasField(btf, 'inet_sock', 'pinet6')
      ? {
          address: common('skc_v6_rcv_saddr'),
          only: findFlag(btf, 'sock', '__sk_common.skc_ipv6only', 0),
        }
      : undefined,
    queue: fieldOffset(btf, 'inet_connection_sock', 'icsk_accept_queue.rskq_accept_head'),
    subflow: hasField(btf, 'mptcp_sock', 'first')
      ? fieldOffset(btf, 'mptcp_sock', 'first')
      : undefined,
  };
}

function readSocketOwner(btf: Btf): Offsets['socketOwner'] {
  const inode =
    fieldOffset(btf, 'socket_alloc', 'vfs_inode') - fieldOffset(btf, 'socket_alloc', 'socket');
  return {
    uid: inode + fieldOffset(btf, 'inode', 'i_uid'),
    gid: inode + fieldOffset(btf, 'inode', 'i_gid'),
  };
}

/** SOCK_BINDPORT_LOCK, as a bit of sk_userlocks (net/sock.h). */
const BINDPORT_LOCK_BIT = 3;

/** Throws, naming it, for a field that this kernel does not have. */
function readOffsets(btf: Btf): Offsets {
  const cookieSource = fieldOffset(btf, 'ipcm_cookie', 'addr');
  return {
    mayGoto: hasMayGoto(),
    sockCgroup: fieldOffset(btf, 'sock', 'sk_cgrp_data.cgroup'),
    sockUid: fieldOffset(btf, 'sock', 'sk_uid'),
    sockMark: fieldOffset(btf, 'sock', 'sk_mark'),
    sockDevice: fieldOffset(btf, 'sock', '__sk_common.skc_bound_dev_if'),
    sockPortLock: findFlag(btf, 'sock', 'sk_userlocks', BINDPORT_LOCK_BIT),
    sockKernel: findFlag(btf, 'sock', 'sk_kern_sock', 0),
    sockNet: fieldOffset(btf, 'sock', '__sk_common.skc_net.net'),
    netCookie: fieldOffset(btf, 'net', 'net_cookie'),
    netInode: fieldOffset(btf, 'net', 'ns.inum'),
    sockSocket: fieldOffset(btf, 'sock', 'sk_socket'),
    socketOwner: readSocketOwner(btf),
    socketFile: fieldOffset(btf, 'socket', 'file'),
    fileCred: fieldOffset(btf, 'file', 'f_cred'),
    credFsuid: fieldOffset(btf, 'cred', 'fsuid'),
    credFsgid: fieldOffset(btf, 'cred', 'fsgid'),
    inetSaddr: fieldOffset(btf, 'inet_sock', 'inet_saddr'),
    inetDevice: fieldOffset(btf, 'inet_sock', 'uc_index'),
    inetOptions: fieldOffset(btf, 'inet_sock', 'inet_opt'),
    optionsRoute: fieldOffset(btf, 'ip_options_rcu', 'opt.srr'),
    callDetail: fieldOffset(btf, 'bpf_sock_addr_kern', 't_ctx'),
    cookieDevice: fieldOffset(btf, 'ipcm_cookie', 'oif') - cookieSource,
    flowDevice:
      fieldOffset(btf, 'flowi6', '__fl_common.flowic_oif') - fieldOffset(btf, 'flowi6', 'saddr'),
    cookieOptions: fieldOffset(btf, 'ipcm_cookie', 'opt') - cookieSource,
    deviceName: fieldOffset(btf, 'net_device', 'name'),
    devices: readDevices(btf),
    ipv6: readIpv6(btf),
    cgroupNode: fieldOffset(btf, 'cgroup', 'kn'),
    cgroupRoot: fieldOffset(btf, 'cgroup', 'root'),
    // A cgroup begins with its own css, so that the parent's css is the parent.
    cgroupParent: fieldOffset(btf, 'cgroup', 'self.parent') - fieldOffset(btf, 'cgroup', 'self'),
    nodeId: fieldOffset(btf, 'kernfs_node', 'id'),
    nodeName: fieldOffset(btf, 'kernfs_node', 'name'),
    rootHierarchy: fieldOffset(btf, 'cgroup_root', 'hierarchy_id'),
    taskFlags: fieldOffset(btf, 'task_struct', 'flags'),
    taskCred: fieldOffset(btf, 'task_struct', 'cred'),
    skbTransport: fieldOffset(btf, 'sk_buff', 'transport_header'),
    skbNetwork: fieldOffset(btf, 'sk_buff', 'network_header'),
    skbDevice: fieldOffset(btf, 'sk_buff', 'dev'),
    listener: readListener(btf),
  };
}

/** The running kernel's offsets. Throws UnsupportedError where its BTF is damaged or has not got them. */
export function kernelOffsets(read: () => Btf = kernelBtf): Offsets {
  try {
    return readOffsets(read());
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UnsupportedError(
      `/sys/kernel/btf/vmlinux, this kernel's description of itself, can't be used: ${why}`,
      '`bpftool btf dump file /sys/kernel/btf/vmlinux` checks it; it is made with the kernel, by CONFIG_DEBUG_INFO_BTF=y and a pahole of its age',
    );
  }
}

/** Some kernel's offsets, for what does not depend on which kernel it is; no two are the same, so that none is taken for another unseen. */
export const SAMPLE_OFFSETS: Offsets = {
  mayGoto: true,
  sockCgroup: 8,
  sockUid: 16,
  sockMark: 24,
  sockDevice: 32,
  sockPortLock: { offset: 40, mask: 1 },
  sockKernel: { offset: 48, mask: 1 },
  sockNet: 56,
  netCookie: 64,
  netInode: 72,
  sockSocket: 80,
  socketOwner: { uid: 88, gid: 96 },
  socketFile: 104,
  fileCred: 112,
  credFsgid: 120,
  credFsuid: 128,
  taskCred: 136,
  inetSaddr: 144,
  inetDevice: 152,
  inetOptions: 160,
  optionsRoute: 168,
  callDetail: 176,
  cookieDevice: 184,
  flowDevice: 192,
  cookieOptions: 200,
  deviceName: 208,
  devices: {
    table: [512, 216],
    node: 224,
    index: 232,
    ipv4: 240,
    addresses: 248,
    next: 256,
    flags: 264,
    address: 272,
  },
  ipv6: {
    info: 280,
    source: 288,
    options: 296,
    device: 304,
    optionsRoute: 312,
    labels: [520, 320],
    labelNext: 328,
    label: 336,
    labelOptions: 344,
  },
  cgroupNode: 352,
  cgroupRoot: 360,
  cgroupParent: 368,
  nodeId: 376,
  nodeName: 384,
  rootHierarchy: 392,
  taskFlags: 400,
  skbTransport: 408,
  skbNetwork: 416,
  skbDevice: 424,
  listener: {
    socket: 432,
    family: 440,
    state: 448,
    protocol: 456,
    port: 464,
    ipv4: 472,
    ipv6: { address: 480, only: { offset: 488, mask: 1 } },
    queue: 496,
    subflow: 504,
  },
};
