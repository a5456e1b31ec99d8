/** Where what outlives reboots is kept. */
export function stateDirectory(): string {
  return process.env.SOCKFILTER_STATE_DIR || '/var/lib/sockfilter';
}
