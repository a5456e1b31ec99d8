#!/usr/bin/env node
require('../dist/main.cjs').runProgram(process.argv.slice(2));
