import fc from 'fast-check';
import { editText } from '../../../test/harness/editedtext.js';
import { decode, editBytes, textBytes } from './textedit.js';

/** The text in UTF-8, in a memory that has so many bytes more behind it. */
function bytesOf(text: string, spare: number): Buffer {
  const bytes = Buffer.from(text);
  const memory = Buffer.from(new ArrayBuffer(bytes.length + spare));
  bytes.copy(memory);
  return memory.subarray(0, bytes.length);
}

const text = fc.array(fc.constantFrom('a', 'bc\n', 'é', '🧦', '"')).map((parts) => parts.join(''));

/** What goes, what comes in its place, and what stays behind it. */
const change = fc.record({ gone: text, added: text, behind: text });

it('makes of bytes what it makes of the text, with room behind them and without, and gives them back', () => {
  fc.assert(
    fc.property(text, fc.array(change), fc.nat({ max: 12 }), (head, changes, spare) => {
      let [before, after] = [head, head];
      const edits = changes.map(({ gone, added, behind }) => {
        const at = Buffer.byteLength(before);
        before += gone + behind;
        after += added + behind;
        return { at, removed: Buffer.byteLength(gone), added };
      });
      const kept = bytesOf(before, spare);
      const expected = editText(textBytes(kept), edits);
      const made = editBytes(kept, edits);
      expect(made.text.toString()).toBe(expected);
      expect(decode(made.text)).toBe(after);
      expect(made.before().toString()).toBe(before);
    }),
  );
});
