import { DROP_ERRNO } from '../errno.js';
import { definePlain } from '../target.js';

export const drop = definePlain('drop', 'DROP', { kind: 'decide', errno: DROP_ERRNO });
