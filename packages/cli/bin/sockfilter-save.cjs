#!/usr/bin/env node
const { start } = require('../start/start.cjs');
start(['save', ...process.argv.slice(2)]);
