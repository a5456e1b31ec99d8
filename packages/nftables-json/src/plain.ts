/** What needs no schema: `nftables-json/plain` has it without loading zod. */
export * from './json.js';
export * from './path.js';
