import { type DiagnosticCode, diagnosticCodes } from '../../core/codes.ts';
import type { Diagnostic } from '../../core/diagnostic.ts';
import { digestOf } from '../../core/digest.ts';
import type { FolderOutput } from '../../core/folder-kind.ts';
import type { SealedFiles } from './sealed-files.ts';
import type { StackSpec } from './spec.ts';

/** What is said of encryption itself: by place and key only. */
const ENCRYPTION: ReadonlySet<DiagnosticCode> = new Set<DiagnosticCode>([
  'encrypted-config',
  'encrypted-document',
  'encrypted-for-others',
  'encryption-damaged',
  'encryption-unsupported',
  'missing-age-key',
  'not-encrypted',
]);

/**
 * Pure. What is said of a stack with encrypted documents. Where a decrypted value could be in the words, or a part or another
 * form of it, a mistake is told by its code and its place alone: nobody has to think of that who words a new one.
 */
export function withoutValues(
  diagnostics: readonly Diagnostic[],
  sealed: SealedFiles,
): readonly Diagnostic[] {
  const { places, isVeiled, isClosed } = sealed;
  if (places.size === 0 || isClosed) return diagnostics;
  return diagnostics.map((diagnostic) => {
    const { severity, code, place } = diagnostic;
    const isAt = place?.path !== undefined && isNear(place.path, places);
    if (ofEncryption(diagnostic) || !(isVeiled || isAt)) return diagnostic;
    const message = `${diagnosticCodes[code]}: not said in more words, because values are encrypted`;
    return { severity, code, message, ...(place && { place: { ...place, quoted: '' } }) };
  });
}

/** Pure. What is certainly wrong, whatever stands where nothing could be opened. */
export function ofEncryption({ code }: Diagnostic): boolean {
  return ENCRYPTION.has(code);
}

/** At an encrypted value, or at the list or mapping that it is part of. */
function isNear(path: string, places: ReadonlySet<string>): boolean {
  if (places.has(path)) return true;
  return (
    /^services\.[^.]+\.environment/.test(path) && [...places].some((one) => one.startsWith(path))
  );
}

const UNKNOWN: Omit<StackSpec, 'name'> = {
  services: {},
  networks: {},
  configs: {},
  secrets: {},
  health: { timeoutMs: 0, stableForMs: 0, checks: [] },
  rollback: { mode: 'hold', keep: 1 },
};

/**
 * Pure. A stack that cannot be judged without the key: it is there, and nothing is said of what it asks for.
 */
export function closedOutput(
  name: string,
  output: Omit<FolderOutput<StackSpec>, 'rendered'>,
  sealed: SealedFiles,
): FolderOutput<StackSpec> {
  const { diagnostics } = output;
  if (diagnostics.some(({ severity }) => severity === 'error')) return output;
  const spec: StackSpec = { name, ...UNKNOWN };
  return {
    ...output,
    rendered: {
      id: `stack/${name}`,
      spec,
      digest: digestOf([spec, 'closed']),
      place: { file: output.files[0] ?? '', line: 1, column: 1, length: 1, quoted: '' },
      dependsOn: [...new Set(output.depends.map(({ on }) => on))],
      needs: [],
      gives: [],
      ...(output.movedFrom && { movedFrom: output.movedFrom.on }),
      ...sealed.inUnit,
      closed: true,
    },
  };
}
