import { NO_NAMES } from '@sockfilter/language';
import { parseCommand } from './index.js';

const context = { names: NO_NAMES, groups: [] };

function parse(text: string) {
  const argv = [...text.matchAll(/"([^"]*)"|(\S+)/g)].map(
    ([, quoted, bare]) => quoted ?? bare ?? '',
  );
  return parseCommand(argv, context);
}

const accept = { matches: [], target: { kind: 'accept' }, packets: 0n };

test.each([
  ['-A BIND -j ACCEPT', { kind: 'append', chain: 'BIND', rules: [accept] }],
  ['--append BIND -j ACCEPT', { kind: 'append', chain: 'BIND', rules: [accept] }],
  ['-j ACCEPT -A BIND', { kind: 'append', chain: 'BIND', rules: [accept] }],
  ['-ABIND -jACCEPT', { kind: 'append', chain: 'BIND', rules: [accept] }],
  ['-I BIND -j ACCEPT', { kind: 'insert', chain: 'BIND', number: 1, rules: [accept] }],
  ['-I BIND 3 -j ACCEPT', { kind: 'insert', chain: 'BIND', number: 3, rules: [accept] }],
  ['-D BIND -j ACCEPT', { kind: 'delete', chain: 'BIND', rules: [accept] }],
  ['-D BIND 2', { kind: 'delete-number', chain: 'BIND', number: 2 }],
  ['-R BIND 2 -j ACCEPT', { kind: 'replace', chain: 'BIND', number: 2, rule: accept }],
  ['-C BIND -j ACCEPT', { kind: 'check', chain: 'BIND', rules: [accept] }],
  ['-L', { kind: 'list', chain: undefined, number: undefined, zero: false }],
  ['-vnxL BIND 2', { kind: 'list', chain: 'BIND', number: 2, zero: false }],
  ['-L -Z', { kind: 'list', chain: undefined, number: undefined, zero: true }],
  ['-Z BIND -L', { kind: 'list', chain: 'BIND', number: undefined, zero: true }],
  ['-S BIND', { kind: 'list-rules', chain: 'BIND', number: undefined, zero: false }],
  ['-F', { kind: 'flush', chain: undefined }],
  ['-F BIND', { kind: 'flush', chain: 'BIND' }],
  ['-Z BIND 1', { kind: 'zero', chain: 'BIND', number: 1 }],
  ['-N web', { kind: 'new-chain', chain: 'web' }],
  ['--new web', { kind: 'new-chain', chain: 'web' }],
  ['-X', { kind: 'delete-chain', chain: undefined }],
  ['-X web', { kind: 'delete-chain', chain: 'web' }],
  ['-P BIND DROP', { kind: 'policy', chain: 'BIND', policy: 'DROP' }],
  ['-E web www', { kind: 'rename-chain', chain: 'web', to: 'www' }],
  ['--deny-unseen', { kind: 'deny-unseen', on: true }],
  ['--deny-unseen on', { kind: 'deny-unseen', on: true }],
  ['--deny-unseen=off', { kind: 'deny-unseen', on: false }],
  ['-t socket -F', { kind: 'flush', chain: undefined }],
  ['--list-r', { kind: 'list-rules', chain: undefined, number: undefined, zero: false }],
  ['-h', { kind: 'help' }],
  ['-V', { kind: 'version' }],
])('%s', (text, command) => {
  expect(parse(text)).toMatchObject({ command, diagnostics: [] });
});

test.each([
  ['-L -v', { verbose: 1 }],
  ['-vv -S', { verbose: 2 }],
  ['-L -x --line-numbers -n', { exact: true, lineNumbers: true }],
  ['-F', { wait: undefined, file: undefined, root: undefined, verbose: 0 }],
  ['-w -F', { wait: Number.POSITIVE_INFINITY }],
  ['-w 5 -F', { wait: 5 }],
  ['-w5 -F', { wait: 5 }],
  ['-F --wait=5', { wait: 5 }],
  ['--file x.rules -F --root /a', { file: 'x.rules', root: '/a' }],
])('flags of %s', (text, flags) => {
  expect(parse(text)).toMatchObject({ flags, diagnostics: [] });
});

test.each([
  ['', 'no command specified', 2],
  ['-s 1.1.1.1', 'no command specified', 2],
  ['-A BIND -X', 'Cannot use `-X` with `-A`', 2],
  ['-L -S', 'Cannot use `-S` with `-L`', 2],
  ['-A', 'option `-A` needs a value', 2],
  ['-R BIND', 'option `-R` needs 2 values', 2],
  ['-R BIND x', 'invalid rule number `x`', 2],
  ['-I BIND 0', 'invalid rule number `0`', 2],
  ['-R BIND 1 -d 1.1.1.1,2.2.2.2', 'Replacement rule does not specify a unique address', 2],
  ['-D BIND 1 -j ACCEPT', 'Illegal option `-j` with `-D BIND 1`', 2],
  ['-F -s 1.1.1.1', 'Illegal option `-s` with `-F`', 2],
  ['-F -n', 'Illegal option `-n` with `-F`', 2],
  ['-P BIND RETURN', 'Bad policy name.', 1],
  ['-P BIND ACCEPT --audit', '`--audit` goes with DROP', 2],
  ['-F BIND --audit', 'Illegal option `--audit` with `-F`', 2],
  ['-A BIND -j ACCEPT --audit', '`--audit` needs `-j DROP` or `-j REJECT`', 2],
  ['-P web DROP', 'Bad built-in chain name.', 1],
  ['-N ACCEPT', 'Chain already exists.', 1],
  ['-N DROP', 'chain name `DROP` clashes with a target of that name', 2],
  ['-N LOG', 'chain name `LOG` clashes with a target of that name', 2],
  ['-N "a b"', 'a chain name must not contain blanks, quotes or backslashes', 2],
  [`-N ${'a'.repeat(29)}`, `chain name \`${'a'.repeat(29)}\` too long (must be under 29 chars)`, 2],
  ['-t filter -L', "can't initialize table `filter`: the only table is `socket`", 2],
  ['-L -w x', 'bad argument `x`', 2],
  ['-L --wait=x', 'wait seconds not numeric: `x`', 2],
  ['--file a --file b -L', '`--file` is given more than once', 2],
  ['-L -q', 'unknown option `-q`', 2],
])('%s fails', (text, message, exit) => {
  const { command, diagnostics } = parse(text);
  expect(command).toBeUndefined();
  expect(diagnostics).toMatchObject([{ message, exit }]);
});
