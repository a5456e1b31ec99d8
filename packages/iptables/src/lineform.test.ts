/** Lines of a form that was read before, held against the same lines read word by word. */
import { NO_NAMES, type Span } from '@sockfilter/language';
import { EMPTY_TABLE, elementAt, formedRule } from '@sockfilter/table';
import fc from 'fast-check';
import { tables } from '../../../test/arbitrary/table.js';
import { propertyRuns } from '../../../test/harness/length.js';
import { parseCommand } from './commandline.js';
import { fillForm, formLine, keepForm } from './lineform.js';
import { printRule } from './print.js';
import { parseSave } from './restore.js';
import { type RuleMemo, ruleMemo } from './rulememo.js';
import { printSave } from './save.js';
import type { SaveContext } from './savereader.js';

/** A blank in front of a rule changes nothing but where it stands, and no such line has a form. */
function read(text: string, isMoved: boolean, context: Partial<SaveContext> = {}) {
  const lines = text.split('\n');
  const isRule = (line: string) => /^(-[AIRD]|\[)/.test(line);
  const moved = lines.map((line) => (isMoved && isRule(line) ? ` ${line}` : line)).join('\n');
  const { table, document, diagnostics } = parseSave(moved, 'file', {
    names: NO_NAMES,
    ...context,
  });
  const back = (span: Span | undefined) =>
    span && {
      ...span,
      column: span.column - Number(isMoved && isRule(lines[span.line - 1] ?? '')),
    };
  const rules = table.chains.flatMap((chain) => chain.rules);
  return {
    table,
    places: rules.map((rule) => {
      const place = document.places.get(rule);
      return place && [back(place.rule), back(place.target), back(place.reject)];
    }),
    diagnostics: diagnostics.map((each) => ({ ...each, span: back(each.span) })),
    lines: document.lines.map((line) => ({ ...line, text: '' })),
  };
}

const addresses = fc.constantFrom(
  '10.0.0.1',
  '10.0.0.1/24',
  '0.0.0.0/0',
  '0.0.0.0',
  '0.0.0.0/8',
  '10.0.0.300',
  '10.0.0.1/33',
  '010.0.0.1',
  '10.0.0.0/255.0.0.0',
  '10.1/16',
  '10.0.0.1,10.0.0.2',
  '::1',
  '127.0.0.1/32',
  '255.255.255.255',
);
const ports = fc.constantFrom(
  '80',
  '0',
  '0:65535',
  '1:65535',
  '65536',
  '80:70',
  '080',
  ':5',
  '443:444',
  'http',
  '80,81',
);

const ids = fc.constantFrom(
  '3',
  '0',
  '7:9',
  '9:7',
  '5:5',
  '03',
  '0:4294967295',
  '4294967296',
  'web',
  ':5',
);

const OPTION = / (-s|-d|--sport|--dport|--id) [^ ]+/g;

const files = fc
  .tuple(
    fc.boolean(),
    tables(5),
    fc.array(fc.tuple(fc.nat(30), addresses, addresses, ports, ports, ids, fc.nat(3)), {
      maxLength: 25,
    }),
  )
  .map(([isSound, table, more]) => {
    const lines = printSave(isSound ? EMPTY_TABLE : table).split('\n');
    const rules = lines.filter((line) => line.includes('-A '));
    const words = ['-p tcp', '-p udp -m udp', '! -s 10.0.0.9 -p tcp'];
    const added = more.flatMap(([n, source, destination, sport, dport, id, kind]) => {
      const value = (option: string) =>
        ({ '-s': source, '-d': destination, '--sport': sport, '--dport': dport, '--id': id })[
          option
        ];
      const given = rules[n % Math.max(1, rules.length)] ?? '-A BIND -j DROP';
      // Nothing is wrong with these, however many there are.
      if (isSound)
        return `-A CONNECT -d 10.0.${n}.${kind}/${31 + (n % 2)} ${words[n % 2]} --dport ${n}:${n + kind} -m cgroup --id ${n}:${n + kind} -j DROP`;
      const count = kind === 0 ? `[${n}:0] ` : '';
      const own = `-A CONNECT -d ${destination} ${words[n % words.length]} --dport ${dport} -j DROP`;
      const line = kind === 1 ? own : given.replace(/^\[[^ ]* /, '');
      const filled = line.replace(OPTION, (_, option: string) => ` ${option} ${value(option)}`);
      const said = kind === 2 ? `${filled} -c ${n} 0` : filled;
      return [`${count}${filled}`, `${count}${said}`];
    });
    const end = lines.indexOf('COMMIT');
    return [...lines.slice(0, end), ...added, ...lines.slice(end)].join('\n');
  });

test('a line of a known form says what its words say', () => {
  let sound = 0;
  fc.assert(
    fc.property(files, (text) => {
      const quick = read(text, false);
      if (quick.diagnostics.length === 0) sound++;
      expect(quick).toEqual(read(text, true));
    }),
    { numRuns: propertyRuns(60) },
  );
  expect(sound).toBeGreaterThan(3);
});

const parsed = (line: string, memo: RuleMemo) => {
  const { command } = parseCommand(line.split(' '), { names: NO_NAMES, groups: [], memo });
  return command?.kind === 'append' ? command.rules[0] : undefined;
};

test.each([
  ['-s 10.0.0.1/32 -d 10.0.0.0/8 -p tcp -m tcp --sport 5 --dport 80:90', true],
  ['-s 10.0.0.1/32 -d 10.0.0.0/8 -p tcp -m tcp --sport 0:65535 --dport 80', false],
  ['-s 10.0.0.1/32 -d 0.0.0.0/1 -p tcp -m tcp --sport 5 --dport 90:80', false],
  ['-s 10.0.0.1/32 -d 10.0.0.300 -p tcp -m tcp --sport 5 --dport 80', false],
])('%s: whether its words need not be read one by one is %p', (options, isFilled) => {
  const memo = ruleMemo();
  const context = { names: NO_NAMES, groups: [], memo };
  const lines = ['-s 10.1.0.1/32 -d 10.1.0.0/16 -p tcp -m tcp --sport 7 --dport 8', options].map(
    (words) => `-A CONNECT ${words} -j DROP`,
  );
  const [first, second] = lines.map(formLine);
  const rule = parsed(elementAt(lines, 0), memo);
  if (!first || !second || !rule) throw new Error('the lines have a form');
  expect(second.form).toBe(first.form);
  keepForm(memo, first, 'CONNECT', rule, context);
  const form = memo.forms.get(first.form);
  expect(form).toBeDefined();
  const filled = form && fillForm(memo, form, second, context);
  expect(filled).toEqual(isFilled ? parsed(elementAt(lines, 1), memo) : undefined);
});

test('quotes, counts of their own and what stands twice are left to the scanner', () => {
  const file = (...rules: readonly string[]) => ['*socket', ...rules, 'COMMIT', ''].join('\n');
  for (const rules of [
    [
      '-A BIND --destination 10.0.0.1 -m comment --comment "a -d 10.0.0.1 b" -j DROP',
      '-A BIND --destination 10.0.0.1 -m comment --comment "a -d 10.0.0.2 b" -j DROP',
    ],
    ['[5:0] -A BIND -d 10.0.0.1 -j DROP -c 5 0', '[6:0] -A BIND -d 10.0.0.2 -j DROP -c 5 0'],
    [
      '[5:0] -A BIND -d 10.0.0.1 -j DROP --set-c 5 0',
      '[6:0] -A BIND -d 10.0.0.2 -j DROP --set-c 5 0',
    ],
    ['-A BIND -d 10.0.0.1 -j DROP', '-A BIND -d 10.0.0.1 -j DROP -d 10.0.0.2'],
    ['-A BIND -d 10.0.0.1 -j web', '-N web', '-A BIND -d 10.0.0.2 -j web'],
    [
      '-A BIND -d 10.0.0.1 -j web',
      '-A BIND -d 10.0.0.2 -j web',
      '-D BIND -d 10.0.0.1 -j web',
      '-N web',
    ],
    [
      '-A web -d 10.0.0.1 -j DROP',
      '-N web',
      '-A web -d 10.0.0.1 -j DROP',
      '-X web',
      '-A web -d 10.0.0.2 -j DROP',
    ],
  ])
    expect(read(file(...rules), false)).toEqual(read(file(...rules), true));
});

/** Lines that go as those before them, some but nearly. */
const likeLines = fc
  .record({
    chain: fc.constantFrom('CONNECT', 'CONNECT', 'BIND', 'web'),
    options: fc.constantFrom('-d', '-d', '-s', '! -d'),
    start: fc.constantFrom('', '[0:0] '),
    values: fc.array(
      fc.record({
        start: fc.constantFrom('', '', '', '[0:0] ', '[7:8] ', '[7] '),
        address: fc.oneof(
          fc.constantFrom('0.0.0.0', '10.0.0.1'),
          addresses,
          fc.tuple(fc.nat(3), fc.nat(300), fc.nat(40)).map(([a, b, n]) => `10.${a}.0.${b}/${n}`),
        ),
        port: fc.oneof(
          ports,
          fc.integer({ min: 10_000, max: 67_000 }).map(String),
          fc.tuple(fc.nat(99), fc.nat(99)).map((ends) => ends.join(':')),
        ),
        end: fc.constantFrom(...Array<string>(9).fill(''), ' ', ' -c 5 0', ' -j DROP', 'x'),
        before: fc.constantFrom(
          ...Array<string>(9).fill(''),
          '-F web\n',
          '-X web\n',
          '-N web\n',
          ':web ACCEPT [0:0]\n',
          ':CONNECT FOO [0:0]\n',
          '-G g --id 3 --path /g\n',
        ),
        id: ids,
        isPlain: fc.boolean(),
      }),
      { maxLength: 60 },
    ),
  })
  .map(({ chain, options, start, values }) => {
    const rule = (address: string, port: string, id = '3') =>
      `-A ${chain} ${options} ${address} -p tcp -m tcp --dport ${port} -m cgroup --id ${id} -j DROP`;
    const first = ['1', '2', '3'].map((n) => start + rule(`10.0.0.${n}`, n));
    const others = values.map((value) =>
      value.isPlain
        ? start + rule('10.0.0.9', value.port, value.id)
        : `${value.before}${value.start}${rule(value.address, value.port, value.id)}${value.end}`,
    );
    return ['*socket', ':web - [0:0]', ...first, ...others, 'COMMIT', ''].join('\n');
  });

test('a line that goes as the one before it says what its words say', () => {
  fc.assert(
    fc.property(likeLines, (text) => {
      expect(read(text, false)).toEqual(read(text, true));
    }),
    { numRuns: propertyRuns(120) },
  );
});

/** Commands of a batch on tables that stand, where many say the same rule and some are wrong. */
const batches = fc
  .record({
    isSound: fc.boolean(),
    edits: fc.array(
      fc.record({
        verb: fc.constantFrom('-A', '-A', '-I', '-I #', '-R #', '-D', '-D', '-D #', '-R', '-I 0'),
        number: fc.integer({ min: 1, max: 9 }),
        chain: fc.constantFrom('CONNECT', 'CONNECT', 'CONNECT', 'web', 'nowhere'),
        option: fc.constantFrom('-d', '-d', '-d', '! -d'),
        last: fc.nat(3),
        port: fc.constantFrom('5', '6', '5:6', '70000'),
        target: fc.constantFrom('-j DROP', '-j DROP', '-j web', '-j nowhere', '-g web'),
        end: fc.constantFrom(...Array<string>(12).fill(''), ' -c 5 0', ' ', ' -j DROP', 'x'),
        before: fc.constantFrom(
          ...Array<string>(12).fill(''),
          '-F CONNECT',
          '-N web',
          '-X web',
          '[4:0] -D CONNECT 1',
        ),
      }),
      { minLength: 10, maxLength: 50 },
    ),
  })
  .map(({ isSound, edits }) =>
    edits
      .flatMap(({ verb, number, chain, option, last, port, target, end, before }) => {
        const [letter, place = ''] = verb.split(' ');
        const start = [letter, isSound ? 'CONNECT' : chain, place.replace('#', String(number))];
        const rule = isSound
          ? `-d 10.0.0.${last} -p tcp --dport ${last + 1} -j DROP`
          : `${option} 10.0.0.${last} -p tcp --dport ${port} ${target}${end}`;
        const isWhole = verb === '-D #' && last > 0;
        const line = start.filter((word) => word !== '').join(' ');
        return [...(isSound || before === '' ? [] : [before]), isWhole ? line : `${line} ${rule}`];
      })
      .join('\n'),
  );

test('commands of a batch do what their words say', () => {
  const base = parseSave(
    [
      '*socket',
      ':web - [0:0]',
      ...[1, 2, 1, 3].map(
        (n) => `[${n}:0] -A CONNECT -d 10.0.0.${n} -p tcp --dport ${n + 1} -j DROP`,
      ),
      'COMMIT',
    ].join('\n'),
    'base',
    { names: NO_NAMES },
  ).table;
  let formed = 0;
  fc.assert(
    fc.property(batches, (text) => {
      const quick = read(text, false, { base, firstLine: 1 });
      const slow = read(text, true, { base, firstLine: 1 });
      expect(quick).toEqual(slow);
      const rules = quick.table.chains.flatMap((chain) => chain.rules);
      const kept = new Set(base.chains.flatMap((chain) => chain.rules));
      expect(rules.map((rule) => kept.has(rule))).toEqual(
        slow.table.chains.flatMap((chain) => chain.rules).map((rule) => kept.has(rule)),
      );
      formed += rules.filter((rule) => formedRule(rule) && !kept.has(rule)).length;
    }),
    { numRuns: propertyRuns(120) },
  );
  expect(formed).toBeGreaterThan(20);
});

test.each(['-I CONNECT 2', '-R CONNECT 1', '-D CONNECT'])(
  '%s of a form is not taken apart',
  (start) => {
    const rule = (n: number) => `-d 10.0.0.${n} -p tcp --dport ${n} -j DROP`;
    const own = [1, 2, 3].map((n) => `-A CONNECT ${rule(n)}`);
    const edits = [1, 2, 3].map((n) => `${start} ${rule(n)}`);
    const { table, diagnostics } = read([...own, ...edits].join('\n'), false, { firstLine: 1 });
    expect(diagnostics).toEqual([]);
    const rules = table.chains.flatMap((chain) => chain.rules);
    expect(rules).toHaveLength({ I: 6, R: 3, D: 0 }[start.charAt(1)] ?? -1);
    const last = rules[start.startsWith('-I') ? 1 : 0];
    expect(last && formedRule(last) !== undefined).toBe(start.startsWith('-D') ? undefined : true);
  },
);

const like = fc.record({
  option: fc.constantFrom('-d', '-s', '! -d'),
  protocol: fc.constantFrom(...Array<string>(4).fill('-p tcp -m tcp'), '-p tcp', '-m tcp -p tcp'),
  end: fc.constantFrom('-j DROP', '-j ACCEPT'),
});

/** Lines that are nearly all as they are printed. */
const printedLines = fc
  .record({
    kinds: fc.array(like, { minLength: 1, maxLength: 3 }),
    values: fc.array(
      fc.record({
        kind: fc.nat(2),
        count: fc.constantFrom('', '', '[0:0] ', '[7:8] '),
        address: fc.tuple(fc.nat(3), fc.constantFrom('', '/32', '/32', '/32', '/31', '/24')),
        port: fc.constantFrom('5', '6', '5:5', '5:6', '0:6', ':6'),
        id: fc.constantFrom('5', '6', '5:5', '5:6'),
      }),
      { minLength: 30, maxLength: 60 },
    ),
  })
  .map(({ kinds, values }) => {
    const lines = values.map(({ kind, count, address: [last, mask], port, id }) => {
      const { option, protocol, end } = elementAt(kinds, kind % kinds.length);
      return `${count}-A CONNECT ${option} 10.0.0.${last}${mask} ${protocol} --dport ${port} -m cgroup --id ${id} ${end}`;
    });
    return ['*socket', ...lines, 'COMMIT', ''].join('\n');
  });

test('what lines say as it is printed is printed so', () => {
  let taken = 0;
  fc.assert(
    fc.property(fc.oneof(printedLines, printedLines, likeLines, files), (text) => {
      const { table, document } = parseSave(text, 'file', { names: NO_NAMES });
      const { ruleLines: lines } = document;
      document.lines.forEach((line, at) => {
        const printed = lines.printedAt(at);
        if (line.kind !== 'rules' || printed === undefined) return;
        taken++;
        expect(line.rules.map((rule) => printRule(line.chain, rule))).toEqual([printed]);
      });
      expect(printSave(table, { lines })).toBe(printSave(table));
      const chains = table.chains.map((chain) => ({
        ...chain,
        rules: chain.rules.map((rule) => ({ ...rule, packets: 0n })),
      }));
      expect(printSave({ ...table, chains }, { lines })).toBe(printSave(table));
    }),
    { numRuns: propertyRuns(120) },
  );
  expect(taken).toBeGreaterThan(20);
});

test('rules of a form are printed as those that are made whole', () => {
  let formed = 0;
  fc.assert(
    fc.property(
      fc.oneof(printedLines, likeLines, files),
      fc.constantFrom(undefined, 7n),
      (text, count) => {
        const { table } = parseSave(text, 'file', { names: NO_NAMES });
        for (const { name, rules } of table.chains)
          for (const rule of rules) {
            if (formedRule(rule)) formed++;
            expect(printRule(name, rule, count)).toBe(printRule(name, { ...rule }, count));
          }
      },
    ),
    { numRuns: propertyRuns(60) },
  );
  expect(formed).toBeGreaterThan(20);
});

test('lines are the text’s, and the same objects each time', () => {
  fc.assert(
    fc.property(fc.oneof(printedLines, likeLines, files), fc.boolean(), (given, endsAtOnce) => {
      const text = endsAtOnce ? given.trimEnd() : given;
      const { document } = parseSave(text, 'file', { names: NO_NAMES });
      const { lines, ruleLines } = document;
      expect(lines.map((line) => line.text)).toEqual(text.split('\n'));
      expect(document.lines).toBe(lines);
      expect(ruleLines.length).toBe(lines.length);
      lines.forEach((line, at) => {
        const said = line.kind === 'rules' ? line : { chain: undefined, rules: [] };
        expect(ruleLines.chainAt(at)).toBe(said.chain);
        expect(ruleLines.otherAt(at)).toBe(line.kind === 'rules' ? undefined : line);
        expect(ruleLines.rulesAt(at)).toHaveLength(said.rules.length);
        said.rules.forEach((rule, n) => {
          expect(ruleLines.rulesAt(at)[n]).toBe(rule);
        });
      });
    }),
    { numRuns: propertyRuns(60) },
  );
});

test('lines whose rules have gone, or have others before them, are no others’', () => {
  const rule = (n: number) => `-A CONNECT -d 10.0.0.${n}/32 -p tcp -m tcp --dport ${n} -j DROP`;
  const lines = [1, 2, 3, 4, 5, 6].map(rule);
  const edits = ['-D CONNECT 5', rule(4), '-I CONNECT 2 -j DROP', rule(7)];
  const text = ['*socket', ...lines, ...edits, 'COMMIT', ''].join('\n');
  const { table, document } = parseSave(text, 'file', { names: NO_NAMES });
  const printed = printSave(table, { lines: document.ruleLines });
  expect(printed).toBe(printSave(table));
  const wanted = [rule(1), '-A CONNECT -j DROP', ...[2, 3, 4, 6, 4, 7].map(rule)];
  expect(printed.split('\n').filter((line) => line.startsWith('-A'))).toEqual(wanted);
});

test('so do very many lines that each say another value', () => {
  const ports = Array.from({ length: 9000 }, (_, n) => n + 1);
  const lines = ports.map((port) => `-A CONNECT -p tcp -m tcp --dport ${port} -j DROP`);
  const { table } = read(['*socket', ...lines, 'COMMIT', ''].join('\n'), false);
  const said = table.chains.flatMap(({ rules }) =>
    rules.flatMap(({ matches }) =>
      matches.flatMap(({ options }) => options.map(({ value }) => value)),
    ),
  );
  expect(said.flatMap((value) => (value.kind === 'portRange' ? value.from : []))).toEqual(ports);
});
