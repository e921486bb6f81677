import type { Path } from '../../../core/parse.ts';

type Cast = 'whole number' | 'number' | '`true` or `false`';

/** Where the Docker CLI turns a text that came from variables into something else. `*` is any one part. */
const places: readonly (readonly [string, Cast])[] = [
  ['services.*.configs.*.mode', 'whole number'],
  ['services.*.secrets.*.mode', 'whole number'],
  ['services.*.healthcheck.retries', 'whole number'],
  ['services.*.healthcheck.disable', '`true` or `false`'],
  ['services.*.deploy.replicas', 'whole number'],
  ['services.*.deploy.update_config.parallelism', 'whole number'],
  ['services.*.deploy.update_config.max_failure_ratio', 'number'],
  ['services.*.deploy.rollback_config.parallelism', 'whole number'],
  ['services.*.deploy.rollback_config.max_failure_ratio', 'number'],
  ['services.*.deploy.restart_policy.max_attempts', 'whole number'],
  ['services.*.deploy.placement.max_replicas_per_node', 'whole number'],
  ['services.*.ports.*.target', 'whole number'],
  ['services.*.ports.*.published', 'whole number'],
  ['services.*.privileged', '`true` or `false`'],
  ['services.*.ulimits.*', 'whole number'],
  ['services.*.ulimits.*.soft', 'whole number'],
  ['services.*.ulimits.*.hard', 'whole number'],
  ['services.*.oom_score_adj', 'whole number'],
  ['services.*.read_only', '`true` or `false`'],
  ['services.*.stdin_open', '`true` or `false`'],
  ['services.*.tty', '`true` or `false`'],
  ['services.*.volumes.*.read_only', '`true` or `false`'],
  ['services.*.volumes.*.volume.nocopy', '`true` or `false`'],
  ['networks.*.external', '`true` or `false`'],
  ['networks.*.internal', '`true` or `false`'],
  ['networks.*.attachable', '`true` or `false`'],
  ['volumes.*.external', '`true` or `false`'],
  ['secrets.*.external', '`true` or `false`'],
  ['configs.*.external', '`true` or `false`'],
];
const patterns = places.map(([pattern, cast]) => ({ parts: pattern.split('.'), cast }));

/** Pure. True where `path` fits `parts`, in which `*` stands for any one part. */
export function fits(path: Path, parts: readonly string[]): boolean {
  return (
    path.length === parts.length &&
    parts.every((part, index) => part === '*' || part === String(path[index]))
  );
}

/** Pure. What a text that variables made becomes at `path`, or what it would have to be. */
export function castText(
  text: string,
  path: Path,
): { readonly value: unknown } | { readonly wanted: Cast } {
  const cast = patterns.find(({ parts }) => fits(path, parts))?.cast;
  if (cast === undefined) return { value: text };
  const value = castTo(text, cast);
  return value === undefined ? { wanted: cast } : { value };
}

function castTo(text: string, cast: Cast): number | boolean | undefined {
  switch (cast) {
    case 'whole number':
      // Decimal even with a leading zero: `${MODE}` of 0440 is 440, as in the CLI.
      return /^[-+]?\d{1,15}$/.test(text) ? Number(text) : undefined;
    case 'number':
      return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(text) ? Number(text) : undefined;
    case '`true` or `false`':
      if (/^(?:y|yes|true|on)$/i.test(text)) return true;
      return /^(?:n|no|false|off)$/i.test(text) ? false : undefined;
  }
}
