import type { Diagnostic } from './diagnostic.ts';

const SECRET = '[secret]';
/** A shorter one stands in many words: it counts as a word of its own only. */
const LENGTH_MIN = 4;
/** Of one expression: larger ones cannot be made. */
const FORMS_MAX = 500;
const FORM_LENGTH_MAX = 200;
const TOKEN = String.raw`[\p{L}\p{N}_]`;

/**
 * Pure. Takes decrypted values out of what is said about a repository. In any case, because names are compared in lower
 * case; of several lines each one by itself, because messages cut there.
 */
export function redactor(words: Iterable<string>): (diagnostic: Diagnostic) => Diagnostic {
  let clean: ((text: string) => string) | undefined;
  return (diagnostic) => {
    // Mostly there is nothing to say.
    clean ??= cleaner(words);
    const { message, hint, place } = diagnostic;
    return {
      ...diagnostic,
      message: clean(message),
      ...(hint !== undefined && { hint: clean(hint) }),
      ...(place !== undefined && { place: { ...place, quoted: clean(place.quoted) } }),
    };
  };
}

function cleaner(words: Iterable<string>): (text: string) => string {
  // The longest first: one may begin with another.
  const forms = [...new Set([...words].flatMap(formsOf).filter((form) => form !== ''))].toSorted(
    (one, other) => other.length - one.length,
  );
  const long = forms.filter(({ length }) => length > FORM_LENGTH_MAX);
  const patterns = inPatterns(forms.slice(long.length));
  return (text) => {
    const shortened = long.reduce((rest, form) => rest.replaceAll(form, SECRET), text);
    return patterns.reduce((rest, pattern) => rest.replaceAll(pattern, SECRET), shortened);
  };
}

function inPatterns(forms: readonly string[]): readonly RegExp[] {
  const patterns: RegExp[] = [];
  for (let at = 0; at < forms.length; at += FORMS_MAX) {
    const parts = forms.slice(at, at + FORMS_MAX).map((form) => {
      const literal = form.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
      return form.length < LENGTH_MIN ? `(?<!${TOKEN})${literal}(?!${TOKEN})` : literal;
    });
    patterns.push(new RegExp(parts.join('|'), 'giu'));
  }
  return patterns;
}

/** As it is, as it stands in quotes, and by its lines. */
function formsOf(word: string): readonly string[] {
  const whole = word.trim();
  const lines = whole.split(/[\r\n]+/).map((line) => line.trim());
  const quoted = JSON.stringify(whole).slice(1, -1);
  return [whole, quoted, ...lines.filter((line) => line.length >= LENGTH_MIN)];
}
