/** Makes a thing of the same kind, of parts that are made anew. */
import type { Element, Expression, MapLookup } from './expression.js';
import type { OneOrMore } from './schema.js';
import type { Nat, Statement } from './statement.js';
import { isList, visitExpression, visitStatement } from './visit.js';

type Change = (expression: Expression) => Expression;

function mapLookup({ key, data, ...rest }: MapLookup, change: Change): MapLookup {
  return { ...rest, key: change(key), data: change(data) };
}

function mapElement({ val, ...rest }: Element, change: Change): Element {
  return { ...rest, val: change(val) };
}

/** The expression with its parts changed; itself where it has none. */
export function mapExpression(expression: Expression, change: Change): Expression {
  const same = () => expression;
  const all = (parts: readonly Expression[]) => parts.map(change);
  return visitExpression<Expression>(expression, {
    immediate: same,
    list: all,
    payload: same,
    exthdr: same,
    'tcp option': same,
    'ip option': same,
    'sctp chunk': same,
    'dccp option': same,
    meta: same,
    rt: same,
    ct: same,
    socket: same,
    osf: same,
    fib: same,
    ipsec: same,
    tunnel: same,
    numgen: same,
    symhash: same,
    jhash: ({ expr, ...rest }) => ({ jhash: { ...rest, expr: change(expr) } }),
    concat: (parts) => ({ concat: all(parts) }),
    set: (content) => ({
      set: typeof content === 'object' && isList(content) ? all(content) : change(content),
    }),
    map: (lookup) => ({ map: mapLookup(lookup, change) }),
    vmap: (lookup) => ({ vmap: mapLookup(lookup, change) }),
    prefix: ({ addr, ...rest }) => ({ prefix: { ...rest, addr: change(addr) } }),
    range: ([low, high]) => ({ range: [change(low), change(high)] }),
    elem: (element) => ({ elem: mapElement(element, change) }),
    '|': (operands) => ({ '|': all(operands) }),
    '^': (operands) => ({ '^': all(operands) }),
    '&': (operands) => ({ '&': all(operands) }),
    '<<': (operands) => ({ '<<': all(operands) }),
    '>>': (operands) => ({ '>>': all(operands) }),
    accept: same,
    drop: same,
    continue: same,
    break: same,
    return: same,
    jump: same,
    goto: same,
    unknown: same,
  });
}

function mapNat(nat: Nat | null, change: Change): Nat | null {
  if (nat === null) return null;
  const { addr, port } = nat;
  return {
    ...nat,
    ...(addr !== undefined && { addr: change(addr) }),
    ...(port !== undefined && { port: change(port) }),
  };
}

/** The statements with all of their expressions changed. */
export function mapStatements(
  statements: OneOrMore<Statement>,
  change: Change,
): readonly Statement[] {
  return [statements].flat().map((statement) => mapStatement(statement, change));
}

/** The statement with its expressions changed. */
export function mapStatement(statement: Statement, change: Change): Statement {
  const same = () => statement;
  return visitStatement<Statement>(statement, {
    text: same,
    match: ({ left, right, ...rest }) => ({
      match: { ...rest, left: change(left), right: change(right) },
    }),
    vmap: (lookup) => ({ vmap: mapLookup(lookup, change) }),
    counter: same,
    quota: same,
    limit: same,
    'ct count': same,
    last: same,
    mangle: ({ key, value }) => ({ mangle: { key: change(key), value: change(value) } }),
    flow: same,
    fwd: ({ dev, addr, ...rest }) => ({
      fwd: { ...rest, dev: change(dev), ...(addr !== undefined && { addr: change(addr) }) },
    }),
    notrack: same,
    dup: (body) => ({
      dup: body && {
        addr: change(body.addr),
        ...(body.dev !== undefined && { dev: change(body.dev) }),
      },
    }),
    snat: (nat) => ({ snat: mapNat(nat, change) }),
    dnat: (nat) => ({ dnat: mapNat(nat, change) }),
    masquerade: (nat) => ({ masquerade: mapNat(nat, change) }),
    redirect: (nat) => ({ redirect: mapNat(nat, change) }),
    reject: same,
    set: ({ elem, stmt, ...rest }) => ({
      set: { ...rest, elem: change(elem), ...(stmt && { stmt: mapStatements(stmt, change) }) },
    }),
    map: ({ elem, data, stmt, ...rest }) => ({
      map: {
        ...rest,
        elem: change(elem),
        data: change(data),
        ...(stmt && { stmt: mapStatements(stmt, change) }),
      },
    }),
    log: same,
    'ct helper': (name) => ({ 'ct helper': change(name) }),
    'ct timeout': (name) => ({ 'ct timeout': change(name) }),
    'ct expectation': (name) => ({ 'ct expectation': change(name) }),
    secmark: (name) => ({ secmark: change(name) }),
    tunnel: (name) => ({ tunnel: change(name) }),
    meter: ({ key, stmt, ...rest }) => ({
      meter: { ...rest, key: change(key), stmt: mapStatement(stmt, change) },
    }),
    queue: (body) => ({
      queue: body && { ...body, ...(body.num !== undefined && { num: change(body.num) }) },
    }),
    tproxy: ({ addr, port, ...rest }) => ({
      tproxy: {
        ...rest,
        ...(addr !== undefined && { addr: change(addr) }),
        ...(port !== undefined && { port: change(port) }),
      },
    }),
    synproxy: same,
    reset: (option) => ({ reset: change(option) }),
    xt: same,
    accept: same,
    drop: same,
    continue: same,
    break: same,
    return: same,
    jump: same,
    goto: same,
    unknown: same,
  });
}
