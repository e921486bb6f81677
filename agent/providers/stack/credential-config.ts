import type { ContainerSpec } from './engine-api.ts';

/**
 * Pure. The privileges of a container with the config of its credentials called otherwise: by name in what we hold, by id
 * in what is sent. Nothing where no config holds any.
 */
export function withCredential(
  { Privileges: privileges }: ContainerSpec,
  rename: (config: string) => string,
): Pick<ContainerSpec, 'Privileges'> {
  const spec = privileges?.CredentialSpec;
  const config = spec?.Config ?? '';
  if (config === '') return {};
  return { Privileges: { ...privileges, CredentialSpec: { ...spec, Config: rename(config) } } };
}

/** Pure. The same with the name for an id: a container names the config among those that are not mounted. */
export function credentialByName(container: ContainerSpec): Pick<ContainerSpec, 'Privileges'> {
  const names = new Map(
    container.Configs?.flatMap(({ ConfigID: id, ConfigName: name }) =>
      id === undefined || id === '' ? [] : [[id, name] as const],
    ),
  );
  return withCredential(container, (config) => names.get(config) ?? config);
}
