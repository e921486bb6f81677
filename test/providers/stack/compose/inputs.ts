import type { AllowRules } from '../../../../agent/core/surroundings.ts';
import type { ComposeInput } from '../../../../agent/providers/stack/compose/render.ts';

export const denyAll: AllowRules = {
  binds: [],
  dockerSocket: false,
  hostNetwork: false,
  capabilities: [],
  sysctls: [],
  plugins: false,
  subpath: false,
  undefinedVariables: false,
  checkout: '',
  home: '',
  moreDocuments: false,
  emptyStacks: false,
  unworkable: false,
};

export const allowAll: AllowRules = {
  ...denyAll,
  binds: ['/'],
  dockerSocket: true,
  hostNetwork: true,
  capabilities: ['ALL'],
  sysctls: ['*'],
  plugins: true,
  subpath: true,
  undefinedVariables: true,
};

/** A stack `blog` with this text, under a policy that allows nothing, with these files beside it. */
export function input(
  text: string,
  given: Partial<Omit<ComposeInput, 'read'>> & { files?: Record<string, string> } = {},
): ComposeInput {
  const { files = {}, ...rest } = given;
  return {
    stack: 'blog',
    file: 'stacks/blog/compose.yaml',
    variables: {},
    allow: denyAll,
    read: (path) => (Object.hasOwn(files, path) ? Buffer.from(files[path] ?? '') : undefined),
    ...rest,
    text,
  };
}
