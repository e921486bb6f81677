import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { textAt } from './json.ts';
import { projectFolder } from './plan.ts';
import { run } from './run.ts';

const keyFile = (stage: string): string => join(stage, 'age.key');

/**
 * Makes the key that opens encrypted files of the stage's repository, with the command that a person uses, and names its
 * recipient in the working copy. Throws `StageError`.
 */
export async function makeAgeKey(
  stage: string,
  workingCopy: string,
  signal: AbortSignal,
): Promise<void> {
  const program = [process.execPath, join(projectFolder, 'agent', 'bin.mjs')];
  const made = await run([...program, 'keygen', keyFile(stage), '--json'], {}, signal);
  const age = textAt(JSON.parse(made), 'recipient');
  await writeFile(join(workingCopy, '.sops.yaml'), stringify({ creation_rules: [{ age }] }));
}

/** The settings of an agent that has the key of the stage; nothing where the stage has none. */
export async function ageSettings(stage: string): Promise<Readonly<Record<string, unknown>>> {
  return await access(keyFile(stage)).then(
    () => ({ age: { keyFile: keyFile(stage) } }),
    () => ({}),
  );
}
