#!/usr/bin/env node
require('../dist/main.cjs').main(['restore', ...process.argv.slice(2)]);
