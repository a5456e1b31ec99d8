import { definePlain } from '../target.js';

export const trace = definePlain('trace', 'TRACE', { kind: 'next' }, [{ kind: 'trace' }]);
