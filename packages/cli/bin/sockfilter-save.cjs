#!/usr/bin/env node
require('../dist/main.cjs').runProgram(['save', ...process.argv.slice(2)]);
