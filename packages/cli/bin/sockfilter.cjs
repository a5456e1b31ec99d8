#!/usr/bin/env node
const { start } = require('../start/start.cjs');
start(process.argv.slice(2));
