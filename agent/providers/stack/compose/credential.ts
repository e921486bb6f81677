import type { Service } from '../../../../schemas/compose-service.ts';
import type { Path } from '../../../core/parse.ts';
import type { CredentialSpec } from '../engine-api.ts';
import type { Context } from './context.ts';
import { swarmName } from './context.ts';
import { noteUndefined, type FileUse } from './files.ts';
import { nonEmpty } from './present.ts';

/** What a `credential_spec` asks of the engine, and the config that it comes from if it is one. */
export interface ConvertedCredential {
  readonly spec: CredentialSpec | null;
  readonly config?: Omit<FileUse, 'file'>;
}

/** `credential_spec`; a config stands by its name until the call is made. */
export function convertCredential(
  written: Service['credential_spec'],
  path: Path,
  context: Context,
): ConvertedCredential {
  const given = (['config', 'file', 'registry'] as const).filter(
    (key) => nonEmpty(written?.[key]) !== undefined,
  );
  const [first, second] = given;
  if (first === undefined) return { spec: null };
  if (second !== undefined) {
    const message = `\`${first}\` and \`${second}\` of a credential spec exclude each other`;
    context.notes.error('conflict', [...path, second], message);
  }
  if (!context.allow.plugins) {
    context.notes.error(
      'not-allowed',
      path,
      'the policy does not allow credentials of the node',
      'set `policy.allow.plugins: true` in the environment if it must be',
    );
  }
  const { config: key = '', file = '', registry = '' } = written ?? {};
  if (key === '') return { spec: { Config: '', File: file, Registry: registry } };
  const declared = context.configs.entries.get(key);
  if (declared === undefined) noteUndefined('config', key, [...path, 'config'], context);
  const name = swarmName(key, declared, context.stack);
  return { spec: { Config: name, File: '', Registry: '' }, config: { key, name } };
}
