import fc from 'fast-check';
import { editText } from '../../../test/harness/editedtext.js';
import { decode, editBytes } from './textedit.js';

/** The text in UTF-8, in a memory that has so many bytes more behind it. */
function bytesOf(text: string, spare: number): Buffer {
  const bytes = Buffer.from(text);
  const memory = Buffer.from(new ArrayBuffer(bytes.length + spare));
  bytes.copy(memory);
  return memory.subarray(0, bytes.length);
}

const text = fc.array(fc.constantFrom('a', 'bc\n', 'é', '🧦', '"')).map((parts) => parts.join(''));

it('makes of bytes what it makes of the text, with room behind them and without', () => {
  fc.assert(
    fc.property(text, text, text, text, fc.nat({ max: 12 }), (head, gone, tail, added, spare) => {
      const whole = `${head}${gone}${tail}`;
      const edit = { at: head.length, removed: gone.length, added };
      const made = editBytes(bytesOf(whole, spare), whole, edit);
      expect(made.toString()).toBe(editText(whole, edit));
      expect(decode(made)).toBe(`${head}${added}${tail}`);
    }),
  );
});
