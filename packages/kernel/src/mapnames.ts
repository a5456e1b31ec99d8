/** Names of the maps, as programs refer to them and as they are pinned. */
export const MAPS = {
  table: 'table',
  groups: 'groups',
  removed: 'removed',
  paths: 'paths',
  shapes: 'shapes',
  states: 'states',
  buckets: 'buckets',
  sets: 'sets',
  nets: 'nets',
  comments: 'comments',
  bound: 'bound',
  peers: 'peers',
  scratch: 'scratch',
  readers: 'readers',
  events: 'events',
  last: 'last',
} as const;
