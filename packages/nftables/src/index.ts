export { isJson } from './isjson.js';
export { parseTable } from './read.js';
export { tableSchema } from './schema.js';
export { printItems, printTable, printTableFile, type WriteOptions, writeTable } from './write.js';
