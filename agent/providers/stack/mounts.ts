import { z } from 'zod';

/** Configs and secrets that something names: ids, and names in lower case, as the engine compares them. */
export interface Mounts {
  readonly configs: readonly string[];
  readonly secrets: readonly string[];
}

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');

/** As much of a template, or of a task, as names configs and secrets. */
export const mountingSpec = z
  .looseObject({
    ContainerSpec: z
      .looseObject({
        Configs: z.array(z.looseObject({ ConfigID: text, ConfigName: text })).nullish(),
        Secrets: z.array(z.looseObject({ SecretID: text, SecretName: text })).nullish(),
        Privileges: z
          .looseObject({ CredentialSpec: z.looseObject({ Config: text }).nullish() })
          .nullish(),
      })
      .nullish(),
  })
  .nullish();

/** As far as both what was read of a service's own spec and what was read of anything else tell. */
interface Container {
  readonly Configs?: Maybe<readonly { readonly ConfigID?: string; readonly ConfigName: string }[]>;
  readonly Secrets?: Maybe<readonly { readonly SecretID?: string; readonly SecretName: string }[]>;
  readonly Privileges?: Maybe<{ readonly CredentialSpec?: Maybe<{ readonly Config?: string }> }>;
}

type Maybe<Value> = Value | null | undefined;

/** Pure. What a container names, mounted or not; undefined: nothing. */
export function mountsOf(container: Maybe<Container>): Mounts | undefined {
  const { Configs, Secrets, Privileges } = container ?? {};
  const configs = [
    ...(Configs ?? []).flatMap(({ ConfigID, ConfigName }) => [ConfigID, ConfigName]),
    Privileges?.CredentialSpec?.Config,
  ].flatMap(named);
  const secrets = (Secrets ?? [])
    .flatMap(({ SecretID, SecretName }) => [SecretID, SecretName])
    .flatMap(named);
  return configs.length + secrets.length === 0 ? undefined : { configs, secrets };
}

function named(text: string | undefined): readonly string[] {
  return text === undefined || text === '' ? [] : [text.toLowerCase()];
}
