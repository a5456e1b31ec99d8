/** The words that commands take: `@sockfilter/policy/words` has them without what they ask for. */
export * from './regionkey.js';
export * from './report/formatname.js';
export * from './schemakind.js';
export * from './severity.js';
