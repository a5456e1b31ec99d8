/** Prints the manual's pages as JSON: `node manual.cjs README.md docs/language.md`. For the build. */
import { readFileSync } from 'node:fs';
import { manualPages } from './pages.js';

const [readme = '', language = ''] = process.argv
  .slice(2)
  .map((file) => readFileSync(file, 'utf8'));
manualPages(readme, language).then((pages) => console.log(JSON.stringify(pages)));
