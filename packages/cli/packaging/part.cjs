/** A part of the command, a file of dist/: compiled with what V8 has kept of an earlier run, if that fits. */
const { Script } = require('node:vm');

const WRAPPER = ['(function (exports, require, module, __filename) { ', '\n})'];

/** The script of a part; `cachedDataRejected` of it says whether `cachedData` was of use. */
exports.compilePart = function compilePart(filename, text, cachedData) {
  return new Script(WRAPPER[0] + text + WRAPPER[1], { filename, cachedData });
};

/** Runs the script of a part once, and gives what it exports. */
exports.runPart = function runPart(script, filename, require) {
  const module = { exports: {} };
  script.runInThisContext()(module.exports, require, module, filename);
  return module.exports;
};
