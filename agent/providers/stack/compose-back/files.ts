import { NAMESPACE_LABEL } from '../compose/labels.ts';
import type { FileKind } from '../compose/files.ts';
import type { ConfigReference, FileTarget, SecretReference } from '../engine-api.ts';
import { UnitMemo } from '../memo.ts';
import { chooseConfig } from '../names.ts';
import { familyOf, NAMESPACE } from '../observed.ts';
import type { ObservedConfig } from '../swarm.ts';
import type { Writing } from './context.ts';
import { keysFor } from './sections.ts';
import { fields, labelsOf, Octal, orAbsent, type Tree } from './tree.ts';

const MODE_DEFAULT = 0o444;

/** `configs` or `secrets` of a service; what they name comes to the top level, contents of configs to the files. */
export function fileUses(
  kind: FileKind,
  references: readonly (ConfigReference | SecretReference)[] | undefined,
  writing: Writing,
): Tree | undefined {
  return orAbsent(
    (references ?? []).flatMap((reference): Tree[] => {
      // Without a file it holds credentials, and is mounted nowhere.
      if (reference.File === undefined) return [];
      const name = 'ConfigName' in reference ? reference.ConfigName : reference.SecretName;
      const key = kind === 'config' ? configKey(name, writing) : secretKey(name, writing);
      return [useOf(key, reference.File)];
    }),
  );
}

function useOf(source: string, file: FileTarget): Tree {
  const long = fields({
    target: file.Name === source ? undefined : file.Name,
    uid: file.UID === '0' ? undefined : file.UID,
    gid: file.GID === '0' ? undefined : file.GID,
    mode: file.Mode === MODE_DEFAULT ? undefined : new Octal(file.Mode),
  });
  return long.size === 0 ? source : new Map<string, Tree>([['source', source], ...long]);
}

/** The engine never gives a secret back, so none can be written: it stays where it is, under its name. */
function secretKey(live: string, { stack, observed, secrets, notes }: Writing): string {
  const there = observed.secrets.get(live.toLowerCase());
  const isOwn = there?.labels[NAMESPACE] === stack;
  // The password of an account is asked for by its plain name, whichever secret holds it now.
  const name = (there && familyOf(there)) ?? live;
  return secrets.use(name, isOwn ? keysFor(name, stack) : [name], (key) => {
    if (isOwn) {
      notes.add(
        `secret ${name} cannot be read: it stays in the Swarm and is \`external\` in the file`,
      );
    }
    return fields({ external: true, name: key === name ? undefined : name });
  });
}

/** The key of a config at the top level. */
export function configKey(name: string, writing: Writing): string {
  const { stack, observed, configs, files } = writing;
  const there = observed.configs.get(name.toLowerCase());
  if (there === undefined || there.labels[NAMESPACE] !== stack) {
    return configs.use(name, [name], (key) =>
      fields({ external: true, name: key === name ? undefined : name }),
    );
  }
  const plain = plainName(there, writing);
  const [short] = plain === undefined ? [] : keysFor(plain, stack);
  const wanted = [...(short === undefined ? [] : [short]), ...keysFor(name, stack)];
  return configs.use(name, wanted, (key) => {
    const path = `configs/${key}`;
    files.set(path, Buffer.from(there.data, 'base64'));
    const called = key === short && plain !== undefined ? plain : name;
    return fields({
      name: called === `${stack}_${key}` ? undefined : called,
      file: `./${path}`,
      template_driver: there.templating,
      labels: labelsOf(there.labels, [NAMESPACE_LABEL]),
    });
  });
}

/** The name before other content made another one necessary: where the same would come out again. */
function plainName(
  there: ObservedConfig,
  { stack, observed, configsInUse }: Writing,
): string | undefined {
  const plain = /^(.+)-[0-9a-f]{8}$/.exec(there.name)?.[1];
  const key = observed.digestKey;
  // An earlier version that is used too needs its name for itself.
  if (plain === undefined || key === undefined || configsInUse.has(plain)) return undefined;
  const memo = new UnitMemo('');
  const chosen = chooseConfig({ ...there, name: plain }, stack, observed.configs, { memo, key });
  return chosen.status === 'there' && chosen.name === there.name ? plain : undefined;
}
