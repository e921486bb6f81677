import type { Diagnostic } from './diagnostic.ts';
import { type Finding, substitute } from './interpolate.ts';
import type { Located, Path } from './parse.ts';
import type { SealedVariables } from './sealed-environment.ts';
import { suggest } from './suggest.ts';

/** Most UTF-16 units that the texts of one file may have once variables are in them. */
const CHARACTERS_MAX = 4_194_304;
/** Variables of an environment that are looked at for what was meant. */
const CANDIDATES_MAX = 1000;

/** Variables, and the environment that has them. */
interface Whose {
  readonly environment: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly sealed?: SealedVariables;
}

/** Where values come from, and how much text the file may still become. */
export class DocumentVariables {
  readonly #variables: Readonly<Record<string, string>>;
  readonly #sealed: ReadonlySet<string>;
  /** Of the environment that they belong to: others may have what it lacks. */
  readonly #file: string;
  #left = CHARACTERS_MAX;

  constructor({ environment, variables, sealed }: Whose) {
    this.#variables = variables;
    this.#file = `environments/${environment}.yaml`;
    this.#sealed = new Set(sealed?.names);
  }

  /** A document with variables replaced in all its texts, never in keys nor in `kind`. What is not text stays what it is. */
  replace(located: Located): {
    readonly located: Located;
    readonly diagnostics: readonly Diagnostic[];
  } {
    const diagnostics: Diagnostic[] = [];
    const walk = (part: unknown, path: Path): unknown => {
      if (typeof part === 'string') {
        const isKind = path.length === 1 && path[0] === 'kind';
        if (isKind || !part.includes('$')) return part;
        const { text, mistakes } = this.#replaceText(part);
        for (const one of mistakes) diagnostics.push({ ...one, place: located.place(path) });
        return text;
      }
      if (Array.isArray(part)) return part.map((item, index) => walk(item, [...path, index]));
      if (typeof part !== 'object' || part === null) return part;
      const entries = Object.entries(part).map(([key, field]) => [
        key,
        walk(field, [...path, key]),
      ]);
      return Object.fromEntries(entries);
    };
    const value = walk(located.value, []);
    return { located: { ...located, value }, diagnostics };
  }

  #replaceText(written: string): { readonly text: string; readonly mistakes: readonly Mistake[] } {
    if (this.#left < 0) return { text: written, mistakes: [] };
    const { text, findings, taken } = substitute(written, this.#variables);
    this.#left -= text.length;
    const sealed = taken.filter((name) => this.#sealed.has(name)).map(sealedMistake);
    const tooMuch: Finding[] = this.#left < 0 ? [{ kind: 'too-large' }] : [];
    const mistakes = [...findings, ...tooMuch].map((finding) => this.#mistake(finding));
    return { text, mistakes: [...mistakes, ...sealed] };
  }

  #mistake(finding: Finding): Mistake {
    switch (finding.kind) {
      case 'unreadable': {
        const message = 'a `$` is not followed by a variable';
        const hint = 'write `$$` for the character itself; variables are `${NAME}`, `${NAME:-default}` or `${NAME:?message}`'; // prettier-ignore
        return { severity: 'error', code: 'interpolation', message, hint };
      }
      case 'too-large': {
        const message = 'the variables make more text than a file may have';
        return { severity: 'error', code: 'too-large', message };
      }
      case 'trap': {
        const message = `\`${finding.written}\` is read as the variable \`${finding.name}\` with a default or a message`;
        const hint = 'write `${NAME}` with braces, and no `-` in the message of `:?`';
        return { severity: 'warning', code: 'interpolation', message, hint };
      }
      case 'required':
        return this.#undefined(finding.name, 'must have a value');
      case 'undefined':
        return this.#undefined(finding.name, 'is not defined');
    }
  }

  #undefined(name: string, what: string): Mistake {
    const names = Iterator.from(Object.keys(this.#variables)).take(CANDIDATES_MAX);
    const meant = suggest(name, names);
    const hint =
      meant === undefined
        ? `define it in \`variables\` of ${this.#file}, write \`\${${name}:-default}\`, or \`$$\` for the character itself`
        : `did you mean \`${meant}\`?`;
    const message = `the variable \`${name}\` ${what}`;
    return { severity: 'error', code: 'undefined-variable', message, hint };
  }
}

type Mistake = Omit<Diagnostic, 'place'>;

/** What documents say is shown: in ids, in plans, in the words of servers. */
function sealedMistake(name: string): Mistake {
  return {
    severity: 'error',
    code: 'encrypted-document',
    message: `the variable \`${name}\` is encrypted, and what a document about a server says is shown everywhere`,
    hint: 'write it in clear; a password stands in a SOPS file that `fromFile` names',
  };
}
