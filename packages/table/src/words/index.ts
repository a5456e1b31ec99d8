export * from './address.js';
export * from './call.js';
export { readDestinations } from './destinations.js';
export * from './endpoint.js';
export * from './group.js';
export * from './network.js';
export * from './path.js';
export * from './pathdoubt.js';
export * from './protocol.js';
