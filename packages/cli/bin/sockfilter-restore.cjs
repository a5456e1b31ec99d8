#!/usr/bin/env node
const { start } = require('../start/start.cjs');
start(['restore', ...process.argv.slice(2)]);
