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

it('makes of bytes what it makes of the text, with room behind them and without, and gives them back', () => {
  fc.assert(
    fc.property(text, text, text, text, fc.nat({ max: 12 }), (head, gone, tail, added, spare) => {
      const whole = `${head}${gone}${tail}`;
      const edit = { at: Buffer.byteLength(head), removed: Buffer.byteLength(gone), added };
      const kept = bytesOf(whole, spare);
      const expected = editText(textBytes(kept), edit);
      const made = editBytes(kept, edit);
      expect(made.text.toString()).toBe(expected);
      expect(decode(made.text)).toBe(`${head}${added}${tail}`);
      expect(made.before().toString()).toBe(whole);
    }),
  );
});
