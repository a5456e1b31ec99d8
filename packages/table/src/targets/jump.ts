import { defineCall } from '../target.js';

/** Comes back to the next rule when the chain ends. */
export const jump = defineCall('jump', true);
