#!/usr/bin/env node
require('../dist/main.cjs').main(['save', ...process.argv.slice(2)]);
