import { decodeSource } from './index.js';

const wide = (text: string, swap: boolean) => {
  const bytes = Buffer.from(text, 'utf16le');
  return swap ? bytes.swap16() : bytes;
};

test.each([
  ['UTF-16LE', wide('\ufeff*socket\n', false)],
  ['UTF-16BE', wide('\ufeff*socket\n', true)],
  ['UTF-16LE', wide('*socket\n', false)],
  ['UTF-16BE', wide('*socket\n', true)],
])('%s is named', (name, bytes) => {
  const { diagnostic } = decodeSource(bytes, 'x.rules');
  expect(diagnostic).toMatchObject({
    message: `the text is ${name}, and rules are read as UTF-8`,
    help: `convert it: \`iconv -f ${name} -t UTF-8 x.rules\``,
    exit: 2,
  });
});

test('the first byte that is no UTF-8 has its place', () => {
  const bytes = Buffer.concat([
    Buffer.from('*socket\n# ü '),
    Buffer.from([0xe9, 0x20]),
    Buffer.from('\n'),
  ]);
  expect(decodeSource(bytes, 'x').diagnostic).toMatchObject({
    message: 'the text is not UTF-8: byte 0xe9 stands here',
    span: { line: 2, column: 5 },
  });
});

test.each(['', '*socket\n', '\ufeff*socket\n', '# ü 漢 🙂 \ufffd\n'])(
  '%j is taken as it is',
  (text) => {
    const { source, diagnostic } = decodeSource(Buffer.from(text), 'x');
    expect(diagnostic).toBeUndefined();
    expect(source.text).toBe(text);
  },
);
