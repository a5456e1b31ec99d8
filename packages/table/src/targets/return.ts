import { definePlain } from '../target.js';

export const returnTarget = definePlain('return', 'RETURN', { kind: 'leave' });
