/** Prefix lengths that cut off what was written. */
import { intersect, subtract, witness } from '@sockfilter/diagram';
import {
  addressBits,
  type Network,
  prefixMask,
  printAddress,
  type Rule,
  readCallNetwork,
} from '@sockfilter/table';
import type { Check, CheckContext } from '../context.js';
import type { PlacedWord } from '../rulefile.js';

const ADDRESS_OPTION = /^(?:-s|-d|--src|--dst|--source|--destination|--local|--remote)(?:=|$)/;

interface Wide {
  readonly network: Network;
  readonly text: string;
  readonly word: PlacedWord;
}

/** How the network is written best, and how many addresses it has. */
function spell({ network: { family, value, mask } }: Wide) {
  const address = printAddress(family, value & mask);
  const bits = mask.toString(2).replaceAll('0', '').length;
  const free = BigInt(addressBits(family) - bits);
  const isPrefix = mask === prefixMask(family, bits);
  const base = `${address}/${isPrefix ? bits : printAddress(family, mask)}`;
  return { base, count: bits === 0 ? `every IPv${family} address` : `${1n << free} addresses` };
}

/** Networks as written, with bits set below their prefix. */
function wideNetworks(words: readonly PlacedWord[]): readonly Wide[] {
  return words.flatMap((word, at) => {
    if (!word.text.includes('/')) return [];
    const glued = ADDRESS_OPTION.exec(word.text)?.[0].endsWith('=');
    const follows = ADDRESS_OPTION.test(words[at - 1]?.text ?? '');
    if (!glued && !follows) return [];
    const list = glued ? word.text.slice(word.text.indexOf('=') + 1) : word.text;
    return list.split(',').flatMap((text): readonly Wide[] => {
      const network = readCallNetwork(text);
      if (!network || (network.value & ~network.mask) === 0n) return [];
      return [{ network, text, word }];
    });
  });
}

/** A call that the rule matches though the address is not the one that was written. */
function otherCall(context: CheckContext, rule: Rule, { network: { family, value } }: Wide) {
  const { universe } = context;
  const matched = context.matching(rule);
  const at = [[value, value]] as const;
  const version = [[BigInt(family), BigInt(family)]] as const;
  const written = (['source', 'destination'] as const)
    .map((end) => universe.box({ family: version, [end]: at }))
    .reduce(subtract, matched);
  return witness(intersect(matched, written));
}

export const findWidePrefixes: Check = function* (context) {
  const { file, table } = context;
  const told = new Set<string>();
  for (const { rules } of table.chains) {
    for (const rule of rules) {
      // A network is printed without bits below its prefix.
      if (file.isPrinted(rule)) continue;
      for (const wide of wideNetworks(file.wordsOf(rule))) {
        const { network, text, word } = wide;
        const key = `${word.place.line}:${word.place.column}:${text}`;
        if (told.has(key)) continue;
        told.add(key);
        const { base, count } = spell(wide);
        yield context.find('SF009', {
          place: word.place,
          message: `\`${text}\` is \`${base}\`: ${count}`,
          packet: otherCall(context, rule, wide),
          fix: `write \`${base}\`, or \`${printAddress(network.family, network.value)}\` for the one address`,
        });
      }
    }
  }
};
