import { anyImage } from '../../agent/core/image-rules.ts';
import type { Rendered } from '../../agent/core/kind.ts';
import { renderStack } from '../../agent/providers/stack/render.ts';
import type { StackSpec } from '../../agent/providers/stack/spec.ts';
import { denyAll } from '../providers/stack/compose/inputs.ts';

/** A stack by the texts of its files, rendered by the renderer itself. `digest`: what the lock has for every image. */
export function stackFrom(
  name: string,
  files: Readonly<Record<string, string>>,
  digest?: string,
): Rendered<StackSpec> {
  const folder = `stacks/${name}`;
  const { rendered, diagnostics } = renderStack({
    name,
    folder,
    surroundings: {
      environment: 'test',
      variables: {},
      allow: denyAll,
      images: { ...anyImage, lock: digest === undefined ? 'off' : 'required' },
      stack: {},
    },
    pin: () => digest,
    read: (path) => {
      const text = files[path.slice(folder.length + 1)];
      return text === undefined ? undefined : Buffer.from(text);
    },
  });
  if (rendered === undefined) throw new Error(JSON.stringify(diagnostics));
  return rendered;
}
