import { spareSecrets } from './account-secrets.ts';
import { AUTH_LABEL, keptSecretName, OWNER_LABEL, PLAIN_LABEL } from './core/kept-secret.ts';
import type { Difference, Id, Kind, Operation, Rendered } from './core/kind.ts';
import { Secret } from './core/secret.ts';
import type { CephCall } from './providers/ceph/call.ts';
import { namedBy } from './providers/ceph/named.ts';
import type { CephSpec, ClientSpec } from './providers/ceph/spec.ts';
import { type CephObserved, clusterOf, type ObservedCluster } from './providers/ceph/unit-diff.ts';
import { contentDigest } from './providers/stack/names.ts';
import type { StackObserved } from './providers/stack/observed.ts';
import type { ObservedSecret, StackCall } from './providers/stack/swarm.ts';

// What a client of Ceph and the stacks that mount with its key have in common: a secret of the Swarm. Ceph makes the key and keeps
// it, so a secret that is lost is made again; what ties the two is a label with the digest of the content, under the Swarm's key.

/** Of a secret with a key: as the documents call how it is written. */
const FORMAT_LABEL = 'understudy.format';
/** The cluster as the agent's settings name it; absent: the only one that they name. */
const CLUSTER_LABEL = 'understudy.cluster';

type Clusters = CephObserved['clusters'];
type Format = ClientSpec['format'];

/** Pure. What the Swarm is given: base64, as the engine takes contents. */
function contentOf(entity: string, key: Secret, format: Format): Secret {
  const text = format === 'key' ? key.reveal() : `[${entity}]\n\tkey = ${key.reveal()}\n`;
  return new Secret(Buffer.from(text, 'utf8').toString('base64'));
}

/**
 * Pure. By plain name in lower case, the secret that holds what its cluster has for the client now. Where several do, in another
 * format, it is the newest one. Nothing of a client that is not seen.
 */
export function currentKeys(
  { state, families, digestKey }: Pick<StackObserved, 'state' | 'families' | 'digestKey'>,
  clusters: Clusters,
): ReadonlyMap<string, string> {
  if (digestKey === undefined || clusters.size === 0) return NONE;
  const seen = [...clusters.values()].map(seenIn);
  const before = found.get(state.secrets);
  const isSame = before?.key === digestKey.reveal() && before.seen.length === seen.length;
  if (isSame && seen.every((one, at) => one === before.seen[at])) return before.current;
  const newest = new Map<string, ObservedSecret>();
  for (const secret of [...families.values()].flat()) {
    const plain = secret.labels[PLAIN_LABEL]?.toLowerCase();
    if (plain === undefined || !holdsKey(secret, clusters, digestKey)) continue;
    const other = newest.get(plain);
    if (other === undefined || other.version < secret.version) newest.set(plain, secret);
  }
  const current = new Map([...newest].map(([plain, { name }]) => [plain, name]));
  found.set(state.secrets, { key: digestKey.reveal(), seen, current });
  return current;
}

const NONE: ReadonlyMap<string, string> = new Map();

interface Found {
  readonly key: string;
  readonly seen: readonly unknown[];
  readonly current: ReadonlyMap<string, string>;
}

/** A look that shows nothing new gives the same map. */
const found = new WeakMap<readonly ObservedSecret[], Found>();

function seenIn({ sight }: ObservedCluster): unknown {
  return sight.status === 'seen' ? sight.seen : undefined;
}

function holdsKey({ labels }: ObservedSecret, clusters: Clusters, digestKey: Secret): boolean {
  const owner = labels[OWNER_LABEL];
  const named = owner?.includes('/') === true ? namedBy(idOf(owner)) : undefined;
  if (named?.what !== 'ceph-client') return false;
  const name = labels[CLUSTER_LABEL];
  const cluster = clusterOf(name === undefined ? {} : { cluster: name }, { clusters });
  const format = labels[FORMAT_LABEL];
  if ('why' in cluster || cluster.sight.status !== 'seen' || !isFormat(format)) return false;
  const entity = `client.${named.names.join('/')}`;
  const key = cluster.sight.seen.clients?.get(entity)?.key;
  if (key === undefined) return false;
  return labels[AUTH_LABEL] === digestOf(contentOf(entity, key, format), digestKey);
}

function isFormat(text: string | undefined): text is Format {
  return text === 'key' || text === 'keyring';
}

function digestOf(content: Secret, digestKey: Secret): string {
  return contentDigest(content.reveal(), digestKey);
}

/** Pure. The kind of what is in clusters, where keys of clients go to the Swarm. */
export function withKeys(
  kind: Kind<CephSpec, CephObserved, CephCall>,
): Kind<CephSpec, StackObserved & CephObserved, CephCall | StackCall> {
  return {
    ...kind,
    diff: (unit, seen) => withKeySecret(kind.diff(unit, seen), unit, seen),
    spares: (unit, seen) => [...kind.spares(unit, seen), ...spareSecrets(unit, seen)],
  };
}

/**
 * Pure. What separates a client from its document, with the secret for its key: that is made once the client is as it should be, and
 * again where it is lost, where somebody changed the key, or where the document has another format. None is ever changed.
 */
function withKeySecret(
  difference: Difference<CephCall>,
  unit: Rendered<CephSpec>,
  seen: StackObserved & CephObserved,
): Difference<CephCall | StackCall> {
  const { spec } = unit;
  const { operations, blocked } = difference;
  if (spec.kind !== 'CephClient' || operations.length + blocked.length > 0) return difference;
  const cluster = clusterOf(spec, seen);
  if ('why' in cluster || cluster.sight.status !== 'seen') return difference;
  const entity = `client.${spec.name}`;
  const key = cluster.sight.seen.clients?.get(entity)?.key;
  const { digestKey } = seen;
  if (key === undefined || digestKey === undefined) {
    const why = 'its key is not known yet';
    return { ...difference, blocked: [{ target: `secret ${spec.secret}`, why, waits: true }] };
  }
  const content = contentOf(entity, key, spec.format);
  const auth = digestOf(content, digestKey);
  const current = seen.generated.get(spec.secret.toLowerCase());
  const held = current === undefined ? undefined : seen.secrets.get(current.toLowerCase());
  if (held?.labels[OWNER_LABEL] === unit.id && held.labels[AUTH_LABEL] === auth) return difference;
  return { ...difference, operations: [secretOf(unit.id, spec, { content, auth }, seen)] };
}

interface Content {
  readonly content: Secret;
  readonly auth: string;
}

function secretOf(
  id: Id,
  { secret: plain, format, cluster }: ClientSpec,
  { content: data, auth }: Content,
  { state }: StackObserved,
): Operation<StackCall> {
  const name = keptSecretName(plain, auth, state.secrets);
  const labels = {
    [OWNER_LABEL]: id,
    [PLAIN_LABEL]: plain,
    [AUTH_LABEL]: auth,
    [FORMAT_LABEL]: format,
    ...(cluster !== undefined && { [CLUSTER_LABEL]: cluster }),
  };
  return {
    target: `secret ${name}`,
    verb: 'create',
    phase: 'add',
    effect: 'none',
    fields: [],
    call: { op: 'secret-create', name, labels, data },
  };
}

/** A label may hold anything. */
function idOf(text: string): Id {
  const [kind = '', ...rest] = text.split('/');
  return `${kind}/${rest.join('/')}`;
}
