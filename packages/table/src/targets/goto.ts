import { defineCall } from '../target.js';

/** Comes back to where its own chain was called. */
export const goto = defineCall('goto', false);
