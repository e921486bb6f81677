import type { Clusters } from './providers/ceph/clusters.ts';
import type { Servers } from './providers/mysql/servers.ts';

/** Nothing that a document says of a server finds one: the settings name none. */
export const noServers: Servers = {
  observe: async () => Promise.resolve(new Map()),
  call: async () => Promise.resolve(nowhere('server')),
  close: () => undefined,
};

/** The same of a cluster. */
export const noClusters: Clusters = {
  observe: async () => Promise.resolve(new Map()),
  call: async () => Promise.resolve(nowhere('cluster')),
  forget: () => undefined,
  close: () => undefined,
};

function nowhere(what: string) {
  const why = `the agent's settings name no ${what}`;
  return { status: 'refused', why, retry: 'never' } as const;
}
