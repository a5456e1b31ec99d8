/**
 * Ids of the BPF helper functions, by the kernel's name without `bpf_` (`__BPF_FUNC_MAPPER` in
 * linux/bpf.h). All exist in Linux 6.1; which a program may call depends on its type.
 */
export const HELPERS = Object.freeze({
  map_lookup_elem: 1,
  map_update_elem: 2,
  map_delete_elem: 3,
  ktime_get_ns: 5,
  trace_printk: 6,
  get_prandom_u32: 7,
  get_smp_processor_id: 8,
  tail_call: 12,
  get_current_pid_tgid: 14,
  get_current_uid_gid: 15,
  get_current_comm: 16,
  perf_event_output: 25,
  skb_load_bytes: 26,
  get_current_task: 35,
  get_socket_cookie: 46,
  get_socket_uid: 47,
  setsockopt: 49,
  getsockopt: 57,
  skb_load_bytes_relative: 68,
  skb_cgroup_id: 79,
  get_current_cgroup_id: 80,
  skb_ancestor_cgroup_id: 83,
  spin_lock: 93,
  spin_unlock: 94,
  sk_fullsock: 95,
  tcp_sock: 96,
  get_listener_sock: 98,
  sk_storage_get: 107,
  sk_storage_delete: 108,
  probe_read_user: 112,
  probe_read_kernel: 113,
  probe_read_user_str: 114,
  probe_read_kernel_str: 115,
  jiffies64: 118,
  get_netns_cookie: 122,
  get_current_ancestor_cgroup_id: 123,
  ktime_get_boot_ns: 125,
  sk_cgroup_id: 128,
  sk_ancestor_cgroup_id: 129,
  ringbuf_output: 130,
  ringbuf_reserve: 131,
  ringbuf_submit: 132,
  ringbuf_discard: 133,
  ringbuf_query: 134,
  get_current_task_btf: 158,
  ktime_get_coarse_ns: 160,
  for_each_map_elem: 164,
  get_attach_cookie: 174,
  loop: 181,
  get_retval: 186,
  set_retval: 187,
  map_lookup_percpu_elem: 195,
  ktime_get_tai_ns: 208,
});

export type HelperName = keyof typeof HELPERS;

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(HELPERS).map(([name, id]) => [id, name]),
);

/** The name of a helper, or undefined for one that is not listed. */
export function helperName(id: number): string | undefined {
  return NAMES.get(id);
}
