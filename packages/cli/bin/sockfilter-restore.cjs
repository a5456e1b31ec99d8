#!/usr/bin/env node
require('../dist/main.cjs').runProgram(['restore', ...process.argv.slice(2)]);
