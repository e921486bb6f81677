import type { AllowRules } from '../../agent/core/surroundings.ts';
import { renderCompose } from '../../agent/providers/stack/compose/render.ts';
import type { ComposeResult, RenderedCompose } from '../../agent/providers/stack/compose/render.ts';
import { allowAll } from '../providers/stack/compose/inputs.ts';
import { CHECKOUT, DEEP } from './folder.ts';
import type { Given } from './folder.ts';

/** The home that the CLI had when the cases were recorded. */
export const HOME = '/home/deployer';

/** Every switch that docs/stacks.md names, open: what is stricter than the CLI on purpose is not what is compared here. */
export const allOpen: AllowRules = {
  ...allowAll,
  checkout: CHECKOUT,
  home: HOME,
  moreDocuments: true,
  emptyStacks: true,
  unworkable: true,
};

/** The stack as we make it of what the CLI was given. */
export function convert(
  { stack, texts, variables, stubs }: Given,
  change: (text: string) => string = (text) => text,
): RenderedCompose {
  const [first, ...over] = texts.map(({ file, text }) => ({ file, text: change(text) }));
  if (first === undefined) throw new Error('a case without a file');
  const read = (path: string) => stubs.get(path);
  return renderCompose({ stack, ...first, over, variables, read, allow: allOpen });
}

/** Pure. The folder of the case as it stands in what was recorded. */
export function placeless(value: unknown): unknown {
  const text = JSON.stringify(value)
    .replaceAll(`${CHECKOUT}/${DEEP}`, '@DIR@')
    .replaceAll(`${CHECKOUT}/p`, '@DIR@/..')
    .replaceAll(CHECKOUT, '@DIR@/../..');
  return JSON.parse(text);
}

const byName = (a: { Name: string }, b: { Name: string }) => (a.Name < b.Name ? -1 : 1);

/** The bodies of the requests that our result stands for. */
export function requestsOf(result: ComposeResult) {
  const files = (
    specs: Record<
      string,
      {
        name: string;
        labels: Readonly<Record<string, string>>;
        data?: string | { reveal(): string };
        driver?: { name: string; options?: Readonly<Record<string, string>> };
        templating?: string;
      }
    >,
  ) =>
    Object.values(specs)
      .map(({ name, labels, data, driver, templating }) => ({
        Name: name,
        Labels: labels,
        ...(data !== undefined && { Data: typeof data === 'string' ? data : data.reveal() }),
        ...(driver && { Driver: { Name: driver.name, Options: driver.options } }),
        ...(templating === undefined ? {} : { Templating: { Name: templating } }),
      }))
      .toSorted(byName);
  return {
    services: Object.values(result.services).toSorted(byName),
    networks: Object.values(result.networks)
      .map(({ CheckDuplicate: _duplicate, ...body }) => body)
      .toSorted(byName),
    configs: files(result.configs),
    secrets: files(result.secrets),
  };
}
