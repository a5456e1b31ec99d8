#!/usr/bin/env node
import { main } from './main.js';

await main(['restore', ...process.argv.slice(2)]);
