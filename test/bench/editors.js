/** Editors of one table at once, each of which waits for its turn: how long an edit takes, and whose takes longest. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { run, withPlace } from './place.js';

const PROGRAM = fileURLToPath(new URL('../../packages/cli/bin/sockfilter.cjs', import.meta.url));
const EDITORS = 8;
const EDITS = 5;

async function edit(root, editor, number) {
  const begun = performance.now();
  const rule = ['-A', 'CONNECT', '-p', 'udp', '--dport', `${1000 * editor + number}`, '-j', 'DROP'];
  const child = spawn(process.execPath, [PROGRAM, '-w', '--root', root, ...rule], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [status] = await once(child, 'close');
  if (status !== 0) throw new Error(`an edit exits with ${status}`);
  return performance.now() - begun;
}

export async function editorsBench() {
  await withPlace(async ({ root }) => {
    const command = (...words) => run(process.execPath, [PROGRAM, '--root', root, ...words]);
    try {
      command('-P', 'CONNECT', 'ACCEPT');
      const times = await Promise.all(
        Array.from({ length: EDITORS }, async (_, editor) => {
          const own = [];
          for (let n = 0; n < EDITS; n++) own.push(await edit(root, editor + 1, n));
          return own;
        }),
      );
      const all = times.flat().sort((a, b) => a - b);
      const rules = String(command('-S', 'CONNECT')).match(/^-A/gm)?.length;
      const median = all[all.length >> 1];
      const most = all[all.length - 1];
      console.log(`  ${EDITORS} editors, ${EDITS} edits each: ${rules} rules are there`);
      console.log(
        `  an edit with its wait: median ${Math.round(median)} ms, longest ${Math.round(most)} ms (${(most / median).toFixed(2)} times)`,
      );
    } finally {
      command('teardown');
    }
  });
}
