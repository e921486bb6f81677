/** `--age-key-file`, for verbs that may decrypt. */
export const AGE_KEY = { 'age-key-file': { type: 'string' } } as const;

/** The same for their help. */
export const AGE_KEY_USAGE = `  --age-key-file PATH the key that opens encrypted files; default UNDERSTUDY_AGE_KEY_FILE, else SOPS_AGE_KEY_FILE`;

/** Pure. The key file: as it is written, else from the environment; undefined: there is none. */
export function ageKeyFile(
  written: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const { UNDERSTUDY_AGE_KEY_FILE: own, SOPS_AGE_KEY_FILE: sops } = environment;
  return [written, own, sops].find((one) => one !== undefined && one !== '');
}
