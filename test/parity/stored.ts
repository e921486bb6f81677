import {
  readConfigs,
  readNetworks,
  readSecrets,
  readServices,
} from '../../agent/providers/stack/shapes.ts';
import type { expectedStored } from './folder.ts';

/** What an engine stored, read as the client reads its lists. */
export function readLists(stored: ReturnType<typeof expectedStored>) {
  const rows = (items: readonly object[]) =>
    items.map((Spec, index) => ({ ID: `id${String(index)}`, Version: { Index: 1 }, Spec }));
  const services = readServices(rows(stored.services));
  const networks = readNetworks(stored.networks);
  const configs = readConfigs(rows(stored.configs));
  const secrets = readSecrets(rows(stored.secrets));
  if (!services.ok || !networks.ok || !configs.ok || !secrets.ok) throw new Error('unreadable');
  return {
    services: services.value,
    networks: networks.value,
    configs: configs.value,
    secrets: secrets.value,
  };
}
