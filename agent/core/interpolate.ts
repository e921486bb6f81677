const NAME = /^[_a-z][_a-z0-9]*$/i;
const EXPRESSION = '[_a-z][_a-z0-9]*(?::?[-?][^}]*)?';
const REFERENCE = new RegExp(
  `\\$(?:(?<escaped>\\$)|(?<named>${EXPRESSION})|\\{(?<braced>${EXPRESSION})\\}|)`,
  'gi',
);

/** What is to say about one `$` of a text. */
export type Finding =
  | { readonly kind: 'unreadable' | 'too-large' }
  | { readonly kind: 'undefined' | 'required'; readonly name: string }
  | { readonly kind: 'trap'; readonly written: string; readonly name: string };

/** A text with its variables replaced. */
export interface Substituted {
  readonly text: string;
  readonly findings: Finding[];
  /** Variables whose values are in it. */
  readonly taken: readonly string[];
}

/** Most UTF-16 units that variables may make of one text: a short file and a long value could fill any memory. */
const CHARACTERS_MAX = 1_048_576;

/**
 * Pure. Replaces `$NAME` and `${NAME}` by the rules of the Docker CLI, its surprises included: the operators `:-`, `-`,
 * `:?` and `?` are looked for anywhere in the expression, in this order, and also count right after an unbraced name.
 */
export function substitute(text: string, variables: Readonly<Record<string, string>>): Substituted {
  const findings = new Map<string, Finding>();
  const taken = new Set<string>();
  let result = '';
  let done = 0;
  for (const match of text.matchAll(REFERENCE)) {
    result += text.slice(done, match.index);
    done = match.index + match[0].length;
    const { escaped, named, braced } = match.groups ?? {};
    const expression = named ?? braced;
    if (escaped !== undefined) result += '$';
    else if (expression === undefined) {
      // Nothing after it counts, and looking on for a `}` that is not there would take very long in a hostile text.
      findings.set('unreadable', { kind: 'unreadable' });
      break;
    } else {
      const { name, value, finding, isTaken } = evaluate(expression, variables);
      if (isTaken === true) taken.add(name);
      result += value;
      if (result.length > CHARACTERS_MAX) {
        findings.set('too-large', { kind: 'too-large' });
        break;
      }
      if (finding !== undefined) findings.set(`${finding.kind} ${name}`, finding);
      // Unbraced with an operator, or a name that an operator cut elsewhere than its author did.
      if (!NAME.test(name) || (named !== undefined && named !== name)) {
        const written = named === undefined ? `\${${expression}}` : `$${named}`;
        findings.set(`trap ${written}`, { kind: 'trap', written, name });
      }
    }
  }
  return { text: result + text.slice(done), findings: [...findings.values()], taken: [...taken] };
}

function evaluate(
  expression: string,
  variables: Readonly<Record<string, string>>,
): { name: string; value: string; finding?: Finding; isTaken?: true } {
  for (const operator of [':-', '-', ':?', '?']) {
    const at = expression.indexOf(operator);
    if (at < 0) continue;
    const name = expression.slice(0, at);
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    const isSet = value !== undefined && (value !== '' || !operator.startsWith(':'));
    if (isSet) return { name, value, isTaken: true };
    if (operator.endsWith('-')) return { name, value: expression.slice(at + operator.length) };
    return { name, value: '', finding: { kind: 'required', name } };
  }
  const value = Object.hasOwn(variables, expression) ? variables[expression] : undefined;
  if (value !== undefined) return { name: expression, value, isTaken: true };
  return { name: expression, value: '', finding: { kind: 'undefined', name: expression } };
}
