/**
 * Tests run on the TypeScript sources. Those of the command line need it bundled, and one the compiled package nftables-json:
 * `npm test` makes both, and leaves types to `npm run types`.
 */
export default {
  testMatch: ['<rootDir>/packages/*/src/**/*.test.ts', '<rootDir>/test/**/*.test.ts'],
  transform: { '\\.[jt]s$': ['@swc/jest', { jsc: { target: 'es2023' } }] },
  moduleNameMapper: {
    '^@sockfilter/policy/words$': '<rootDir>/packages/policy/src/words.ts',
    '^@sockfilter/(.*)$': '<rootDir>/packages/$1/src/index.ts',
    // Jest requires no ES module.
    '^yargs$': '<rootDir>/packages/cli/dist/yargs.cjs',
    '^nftables-json$': '<rootDir>/packages/nftables-json/src/index.ts',
    '^nftables-json/plain$': '<rootDir>/packages/nftables-json/src/plain.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  setupFiles: ['<rootDir>/test/harness/seed.ts'],
  reporters: ['default', '<rootDir>/test/harness/reporter.js'],
  maxWorkers: '100%',
  testTimeout: 600_000,
};
