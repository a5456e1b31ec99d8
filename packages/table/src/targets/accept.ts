import { definePlain } from '../target.js';

export const accept = definePlain('accept', 'ACCEPT', { kind: 'decide', errno: 0 });
