/** As whom the agents of a stage come. */
export const CLIENT = 'client.understudy';

const MAY = [
  'osd erasure-code-profile set',
  'osd crush rule create-replicated',
  'osd crush rule create-erasure',
  'osd crush rule rm',
  'osd pool create',
  'osd pool set',
  'osd pool set-quota',
  'osd pool application enable',
  'fs new',
  'fs add_data_pool',
  'fs set',
  'auth ls',
].map((command) => `allow command "${command}"`);
const OWN = ['auth get', 'auth get-or-create', 'auth caps', 'auth rm'].map(
  (command) => `allow command "${command}" with entity prefix client.site-`,
);
const MARKS = ['dump', 'set', 'rm'].map(
  (verb) => `allow command "config-key ${verb}" with key prefix understudy/`,
);

/** What docs/ceph.md tells people to give an agent, which a test compares. */
export const agentCaps: readonly string[] = [
  'mon',
  ['allow r', 'allow service log rw', ...MAY, ...OWN, ...MARKS].join(', '),
  'mgr',
  'allow module volumes rw',
];
