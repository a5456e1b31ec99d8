/** What the hooks of calls read of struct bpf_sock_addr and of its struct bpf_sock (linux/bpf.h). */

export const CTX = {
  userIp4: 4,
  userIp6: 8,
  userPort: 24,
  protocol: 36,
  msgSrcIp4: 40,
  msgSrcIp6: 44,
  sk: 64,
} as const;

export const SK = {
  boundDevice: 0,
  mark: 16,
  srcIp4: 24,
  srcIp6: 28,
  srcPort: 44,
  dstPort: 48,
  dstIp4: 52,
  dstIp6: 56,
  state: 72,
} as const;
