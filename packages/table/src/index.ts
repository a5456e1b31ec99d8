export * from './addresstype.js';
export * from './answer.js';
export * from './bucketkey.js';
export * from './chain.js';
export * from './chains.js';
export * from './chaintargets.js';
export * from './clause.js';
export * from './condition.js';
export * from './counter.js';
export { destinationCount } from './destinations.js';
export * from './detail.js';
export * from './details.js';
export * from './edit.js';
export * from './element.js';
export * from './enforced.js';
export * from './errno.js';
export * from './error.js';
export * from './evaluate.js';
export * from './group.js';
export * from './grouppath.js';
export { groupsBelow } from './groupsbelow.js';
export * from './luck.js';
export * from './match.js';
export { DEFAULT_BUCKETS, MOST_BUCKETS } from './matches/hashlimit.js';
export { DEFAULT_BURST } from './matches/limit.js';
export * from './matches.js';
export { findNamed, placeOfName } from './named.js';
export * from './opaque.js';
export * from './packet.js';
export * from './perobject.js';
export * from './plaincondition.js';
export * from './policy.js';
export * from './protocol.js';
export * from './question.js';
export * from './region.js';
export * from './report.js';
export * from './rewriting.js';
export {
  type FormPlace,
  formedRule,
  modelOf,
  type Numbers,
  perModel,
  RuleForm,
} from './ruleform.js';
export * from './schedule.js';
export * from './sets/membership.js';
export * from './sets/namedset.js';
export * from './sets/settype.js';
export * from './sets/use.js';
export * from './table.js';
export * from './target.js';
export * from './targets.js';
export * from './validate.js';
export * from './value.js';
export * from './valueset.js';
export * from './words/index.js';
