/**
 * Every code that a diagnostic can carry, with its one-line title. Each has a section in docs/errors.md:
 * what is wrong, why it is refused, how it is right.
 */
export const diagnosticCodes = {
  'alias-loop': 'an alias inside of the part that it names',
  conflict: 'two keys exclude each other',
  'dependency-cycle': 'units that wait for each other',
  directive: 'a YAML directive',
  'duplicate-key': 'a key is written twice',
  'file-name': 'a file is not where its kind belongs',
  'ignored-key': 'a key has no effect',
  'image-reference': 'an image name cannot be read',
  interpolation: 'a variable reference cannot be read',
  'key-type': 'a key is not a text',
  merge: 'something that cannot be merged',
  'merge-loss': 'two Compose files of which one loses something',
  'missing-document': 'a document that must exist is not there',
  'missing-file': 'a file that is named is not there',
  'missing-image': 'a service has no image',
  'missing-key': 'a required key is not there',
  'name-conflict': 'two things would have the same name',
  'not-allowed': 'the policy of the environment forbids it',
  'path-outside': 'a path leads out of the repository',
  'render-failed': 'the repository could not be rendered',
  submodule: 'a Git submodule',
  symlink: 'a symbolic link',
  syntax: 'the text is not YAML',
  'too-large': 'more than the limits allow',
  'undefined-config': 'a config is used but not declared',
  'undefined-network': 'a network is used but not declared',
  'undefined-environment': 'a file for an environment that the repository does not have',
  'undefined-secret': 'a secret is used but not declared',
  'undefined-service': 'a service is named that the stack does not have',
  'undefined-unit': 'a unit is named that the repository does not have',
  'undefined-variable': 'a variable has no value',
  'undefined-volume': 'a volume is used but not declared',
  'unknown-anchor': 'an alias without its anchor',
  'unknown-key': 'a key that does not exist',
  'unknown-tag': 'a YAML tag that is not a standard one',
  'unmatched-pattern': 'a pattern that fits no stack',
  'unsupported-key': 'a key that is known but not supported',
  'wrong-name': 'a name does not fit',
  'wrong-type': 'a value of the wrong type',
  'wrong-value': 'a value that is not allowed',
} as const;

/** A readable slug with a section in docs/errors.md. */
export type DiagnosticCode = keyof typeof diagnosticCodes;
