/**
 * Units of systemd, with their drop-ins, as rules about the unit's control group: SocketBindAllow and SocketBindDeny,
 * IPAddressAllow and IPAddressDeny, RestrictAddressFamilies. As there, what is allowed goes before what is denied, and
 * what is neither is allowed.
 */
import type { Source } from '@sockfilter/language';
import { BUILTIN_CHAINS, CHAINS, type Family, readCallNetwork } from '@sockfilter/table';
import {
  type Draft,
  type DraftLine,
  type Fate,
  type Invariant,
  numberedLines,
  type Remark,
  type Scope,
  word,
} from './draft.js';
import { unitPath } from './unitname.js';

interface Setting {
  readonly key: string;
  readonly value: string;
  readonly file: string;
  readonly line: number;
}

/** What else decides about sockets there. */
const OTHERS =
  /^(PrivateNetwork|RestrictNetworkInterfaces|IPIngressFilterPath|IPEgressFilterPath|BPFProgram|NetworkNamespacePath|JoinsNamespaceOf|NFTSet|SystemCallFilter|CapabilityBoundingSet|SocketUser|SocketGroup|IPAccounting)$/;
const OURS =
  /^(SocketBindAllow|SocketBindDeny|IPAddressAllow|IPAddressDeny|RestrictAddressFamilies|Slice)$/;

function readSettings(sources: readonly Source[]): readonly Setting[] {
  const settings: Setting[] = [];
  for (const source of sources) {
    let before = '';
    let start = 0;
    for (const [line, text] of numberedLines(source)) {
      if (before === '' && /^\s*([#;]|$)/.test(text)) continue;
      if (before === '') start = line;
      const whole = `${before}${text.trim()}`;
      // A backslash at the end goes on in the next line.
      before = whole.endsWith('\\') ? `${whole.slice(0, -1)} ` : '';
      if (before !== '') continue;
      const [, key, value] = /^([A-Za-z]\w*)\s*=\s*(.*)$/.exec(whole) ?? [];
      if (key !== undefined && value !== undefined)
        settings.push({ key, value, file: source.name, line: start });
    }
  }
  return settings;
}

/** The values that count: an empty assignment takes back those before it. */
function valuesOf(settings: readonly Setting[], key: string): readonly Setting[] {
  const all = settings.filter((each) => each.key === key);
  const from = all.findLastIndex(({ value }) => value === '') + 1;
  return all
    .slice(from)
    .flatMap((setting) => setting.value.split(/\s+/).map((value) => ({ ...setting, value })));
}

/**
 * The families that sockets may be of. The first assignment makes a list of what is allowed or, with `~`, of what is
 * not; later ones add to it, and take from it where their sign is the other one.
 */
function restrictedFamilies(settings: readonly Setting[]) {
  const all = settings.filter(({ key }) => key === 'RestrictAddressFamilies');
  const counted = all.slice(all.findLastIndex(({ value }) => /^(none)?$/.test(value)) + 1);
  const [none] = all.slice(-counted.length - 1).filter(({ value }) => value === 'none');
  const [first = none] = counted;
  const lists = none !== undefined || !counted[0]?.value.startsWith('~');
  const named = new Set<string>();
  for (const { value } of counted) {
    const adds = value.startsWith('~') !== lists;
    for (const name of value.replace(/^~\s*/, '').split(/\s+/))
      if (adds) named.add(name);
      else named.delete(name);
  }
  return { first, named, allowed: (family: string) => named.has(family) === lists };
}

const NETWORKS: Readonly<Record<string, readonly string[]>> = {
  any: [''],
  localhost: ['127.0.0.0/8', '::1/128'],
  'link-local': ['169.254.0.0/16', 'fe80::/64'],
  multicast: ['224.0.0.0/4', 'ff00::/8'],
};

/** systemd resolves no specifiers there either. */
const unread = (value: string, what: string) =>
  value.includes('%')
    ? `no specifier stands for a part of it, and this is no ${what}`
    : `this is no ${what}`;

const PEERED = BUILTIN_CHAINS.filter((chain) => CHAINS[chain].noPeer === undefined);

class Unit {
  readonly lines: DraftLine[] = [];
  readonly remarks: Remark[] = [];
  readonly invariants: Invariant[] = [];
  readonly #settings: readonly Setting[];
  readonly #scope: Scope;
  /** The families that are left out. */
  readonly #refused: Family[] = [];

  constructor(settings: readonly Setting[], scope: Scope) {
    this.#settings = settings;
    this.#scope = scope;
  }

  #tell({ key, value, file, line }: Setting, fate: Fate, reason: string): void {
    this.remarks.push({ file, line, fate, text: `${key}=${value}`, reason });
  }

  #rule(from: Setting, chain: string, words: string, refuses: boolean): void {
    const scope = this.#scope.map(word).join(' ');
    const text = `-A ${chain} ${words}${words === '' ? '' : ' '}${scope} -j ${refuses ? 'DROP' : 'ACCEPT'}`;
    const original = `${from.key}=${from.value}`;
    this.lines.push({ text, file: from.file, line: from.line, original, refuses });
  }

  /** Families first: systemd asks them at socket(2), before anything else. */
  families(): void {
    const { first, named, allowed } = restrictedFamilies(this.#settings);
    if (!first) return;
    for (const [family, option] of [
      ['AF_INET', '-4'],
      ['AF_INET6', '-6'],
    ] as const) {
      if (allowed(family)) continue;
      this.#refused.push(option === '-4' ? 4 : 6);
      for (const chain of BUILTIN_CHAINS) this.#rule(first, chain, option, true);
    }
    this.#tell(first, 'note', 'calls fail, where socket(2) would; a mapped address is IPv4');
    const others = [...named].filter((name) => !/^AF_INET6?$/.test(name));
    if (others.length > 0)
      this.#tell(first, 'moot', `sockfilter sees no sockets of ${others.join(', ')}`);
  }

  binds(): void {
    const [allow, deny] = ['SocketBindAllow', 'SocketBindDeny'].map((key) =>
      valuesOf(this.#settings, key),
    );
    for (const setting of allow ?? [])
      for (const words of this.#bindWords(setting, false))
        this.#rule(setting, 'BIND', words, false);
    for (const setting of deny ?? [])
      for (const words of this.#bindWords(setting, true)) this.#rule(setting, 'BIND', words, true);
    const [denied] = deny ?? [];
    if (denied && !(allow ?? []).some(({ value }) => value === 'any'))
      this.#tell(denied, 'note', 'a port that the kernel chooses is judged too, with its number');
  }

  #bindWords(setting: Setting, refuses: boolean): readonly string[] {
    const { value } = setting;
    if (value === 'any') return [''];
    const [, family, protocol, port] = BIND_RULE.exec(value) ?? [];
    if (family === undefined && protocol === undefined && port === undefined) {
      this.#tell(setting, refuses ? 'wider' : 'narrowed', unread(value, 'bind rule of systemd'));
      return [];
    }
    const words = [
      ...(family === undefined ? [] : [family === 'ipv4' ? '-4' : '-6']),
      ...(protocol === undefined ? [] : ['-p', protocol]),
      ...(port === undefined || port === 'any'
        ? []
        : ['-m', 'socket', '--local-port', port.replace('-', ':')]),
    ];
    return [words.join(' ')];
  }

  addresses(): void {
    for (const [key, refuses] of [
      ['IPAddressAllow', false],
      ['IPAddressDeny', true],
    ] as const)
      for (const setting of valuesOf(this.#settings, key))
        for (const network of this.#networks(setting, refuses))
          for (const chain of PEERED)
            this.#rule(
              setting,
              chain,
              network === '' ? '' : `-m socket --remote ${network}`,
              refuses,
            );
    const [first] = valuesOf(this.#settings, 'IPAddressDeny');
    if (first)
      this.#tell(first, 'note', 'packets of connections that are there already are not judged');
  }

  #networks(setting: Setting, refuses: boolean): readonly string[] {
    const { value } = setting;
    const named = NETWORKS[value];
    if (named) return named;
    if (/^[\da-fA-F:.]+(\/\d+)?$/.test(value)) return [value];
    this.#tell(setting, refuses ? 'wider' : 'narrowed', unread(value, 'address'));
    return [];
  }

  others(): void {
    for (const setting of this.#settings)
      if (OTHERS.test(setting.key))
        this.#tell(setting, 'note', 'it is about sockets, and stays what it is there');
  }

  #values(key: string): readonly string[] {
    return valuesOf(this.#settings, key).map(({ value }) => value);
  }

  #never(name: string, within: readonly Invariant[]): void {
    if (within.length > 0) this.invariants.push({ name, never: 'accept', in: within });
  }

  #only(name: string, within: Invariant, accept: readonly Invariant[]): void {
    if (accept.length === 0) this.#never(name, [within]);
    else this.invariants.push({ name, only: { in: within, accept } });
  }

  /** What is denied is not accepted; where all is, nothing but what is allowed. */
  state(group: string): void {
    this.#never(
      'has no socket of a family that RestrictAddressFamilies leaves out',
      this.#refused.map((family) => ({ group, family })),
    );
    const binds = this.#values('SocketBindAllow').flatMap(bindRegion);
    const deniedBinds = this.#values('SocketBindDeny');
    const bind = { chain: 'BIND', group };
    if (deniedBinds.includes('any'))
      this.#only('binds what SocketBindAllow names and nothing else', bind, binds);
    else if (binds.length === 0)
      this.#never(
        'binds nothing that SocketBindDeny names',
        deniedBinds.flatMap(bindRegion).map((each) => ({ ...bind, ...each })),
      );
    const networks = this.#values('IPAddressAllow').flatMap(networkRegion);
    const denied = this.#values('IPAddressDeny');
    const peers = { chain: [...PEERED], group };
    if (denied.includes('any'))
      this.#only('talks to what IPAddressAllow names and nothing else', peers, networks);
    else if (networks.length === 0)
      this.#never(
        'talks to nothing that IPAddressDeny names',
        denied.flatMap(networkRegion).map((each) => ({ ...peers, ...each })),
      );
  }
}

/** The region of an address setting; none if it is no address. */
function networkRegion(value: string): readonly Invariant[] {
  return (NETWORKS[value] ?? [value])
    .filter((remote) => remote === '' || readCallNetwork(remote) !== undefined)
    .map((remote) => (remote === '' ? {} : { remote }));
}

const BIND_RULE = /^(?:(ipv4|ipv6)(?::|$))?(?:(tcp|udp)(?::|$))?(any|\d+(?:-\d+)?)?$/;

/** The region of a bind rule; none if it is no bind rule. */
function bindRegion(value: string): readonly Invariant[] {
  const [whole, family, protocol, port] = BIND_RULE.exec(value) ?? [];
  const isPort = (port?.split('-') ?? []).every((each) => each === 'any' || Number(each) <= 65535);
  if (!whole || !isPort) return [];
  return [
    {
      ...(family !== undefined && { family: family === 'ipv4' ? 4 : 6 }),
      ...(protocol !== undefined && { proto: protocol }),
      ...(port !== undefined && port !== 'any' && { 'local-port': port }),
    },
  ];
}

/** The unit file and its drop-ins, in their order; the scope is that of the unit's own group if none is given. */
export function importUnit(
  sources: readonly Source[],
  scope: Scope,
): Draft | { readonly fault: string } {
  const settings = readSettings(sources);
  const [file] = sources;
  const found = unitPath(file?.name ?? '', valuesOf(settings, 'Slice').at(-1)?.value);
  if (scope.length === 0 && 'fault' in found) return found;
  const own =
    'path' in found && scope.length === 0 ? ['-m', 'cgroup', '--path', found.path] : scope;
  const unit = new Unit(settings, own);
  unit.families();
  unit.binds();
  unit.addresses();
  unit.others();
  unit.state(own.at(-1) ?? '');
  const [first] = settings;
  if (!settings.some(({ key }) => OURS.test(key)))
    unit.remarks.push({
      file: sources[0]?.name ?? '',
      line: first?.line ?? 1,
      fate: 'note',
      text: '',
      reason: 'the unit restricts no sockets',
    });
  return { chains: [], ...unit };
}
