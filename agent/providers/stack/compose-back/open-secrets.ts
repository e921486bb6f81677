import { looksSecret, maskLine } from '../../../core/path.ts';
import { splitPair } from '../compose/labels.ts';
import type { ServiceSpec } from '../engine-api.ts';

/** Pure. Places of a service whose text looks like a password, in words and without it: that text will stand in a file. */
export function openSecrets(spec: ServiceSpec): readonly string[] {
  const { ContainerSpec: container, LogDriver: log } = spec.TaskTemplate;
  const variables = (container.Env ?? []).map(splitPair);
  return [
    ...named('the value of ', variables),
    ...(hasOpenWord(container.Command) ? ['a word of `entrypoint`'] : []),
    ...(hasOpenWord(container.Args) ? ['a word of `command`'] : []),
    ...named('the label ', Object.entries(container.Labels ?? {})),
    ...named('the label ', Object.entries(spec.Labels ?? {})),
    ...named('the logging option ', Object.entries(log?.Options ?? {})),
  ];
}

function named(
  what: string,
  pairs: readonly (readonly [string, (string | undefined)?])[],
): readonly string[] {
  return pairs.flatMap(([name, value = '']) => {
    const isOpen = value !== '' && (looksSecret(name) || isMasked(`${name}=${value}`));
    return isOpen ? [`${what}${name}`] : [];
  });
}

function hasOpenWord(words: readonly string[] = []): boolean {
  return words.some(isMasked);
}

function isMasked(text: string): boolean {
  return maskLine(text) !== text;
}
