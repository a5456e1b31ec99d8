/** Where a rule file names chains and groups. */

export interface NamedPlace {
  readonly kind: 'chain' | 'group';
  readonly name: string;
  /** From 0. */
  readonly line: number;
  readonly start: number;
  readonly end: number;
  readonly declares: boolean;
}

export interface Token {
  readonly text: string;
  readonly start: number;
}

/** The words of a line; one in quotes is one. */
export function tokensOf(line: string): readonly Token[] {
  return [...line.matchAll(/"(?:[^"\\]|\\.)*"|\S+/g)].map((match) => ({
    text: match[0],
    start: match.index,
  }));
}

/** Options whose next word is a chain, and those that make one. */
const CHAIN_OPTIONS =
  /^(-[AIDRCPFZXLSE]|-[jg]|--(append|insert|delete|replace|check|policy|flush|zero|delete-chain|rename-chain|jump|goto))$/;
const NEW_CHAIN = /^(-N|--new-chain)$/;

function symbolsOfLine(text: string, line: number): readonly NamedPlace[] {
  if (/^\s*(#|$)/.test(text)) return [];
  const symbols: NamedPlace[] = [];
  const add = (kind: NamedPlace['kind'], { text: name, start }: Token, declares: boolean) =>
    symbols.push({ kind, name, line, start, end: start + name.length, declares });
  const tokens = tokensOf(text);
  const [first] = tokens;
  if (first?.text.startsWith(':') && first.text.length > 1)
    add('chain', { text: first.text.slice(1), start: first.start + 1 }, true);
  let module: string | undefined;
  tokens.forEach(({ text: word }, at) => {
    const next = tokens[at + 1];
    if (!next) return;
    if (NEW_CHAIN.test(word)) add('chain', next, true);
    else if (CHAIN_OPTIONS.test(word)) add('chain', next, false);
    else if (word === '-G') add('group', next, true);
    else if (word === '-m' || word === '--match') module = next.text;
    else if (word === '--id' && module === 'cgroup') add('group', next, false);
  });
  return symbols;
}

/** Every place where a chain or group is named, as far as the words tell: a target may be a name as well. */
export function symbolsOf(text: string): readonly NamedPlace[] {
  return text.split('\n').flatMap(symbolsOfLine);
}

export function symbolAt(
  symbols: readonly NamedPlace[],
  { line, character }: { readonly line: number; readonly character: number },
): NamedPlace | undefined {
  return symbols.find(
    (each) => each.line === line && each.start <= character && character <= each.end,
  );
}
