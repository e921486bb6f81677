import { isNativeError } from 'node:util/types';

/** A file of ours in a stack, with its line. */
const FRAME = /^\s+at .*?([\w.-]{1,60}\.[cm]?[jt]s:\d{1,6}):\d{1,6}\)?$/mu;
const NAME = '[A-Z][A-Za-z]{0,39}';
const CODE = '[A-Z][A-Z0-9_]{1,60}';

/**
 * Pure. What an error was, in one line: its name, its code, where. Never its message: that may quote a file of the
 * repository, which may be a secret.
 */
export function crashLine(error: unknown): string {
  if (!isNativeError(error)) return 'crash: Unknown';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const words = [shaped(error.name, NAME) ?? 'Error', shaped(code, CODE), frameOf(error)];
  return `crash: ${words.filter((word) => word !== undefined).join(' ')}`;
}

function shaped(text: string, shape: string): string | undefined {
  return new RegExp(`^${shape}$`, 'u').test(text) ? text : undefined;
}

/** Behind the message only: lines of the message could look like frames. */
function frameOf({ stack = '', message }: Error): string | undefined {
  const at = stack.indexOf(message);
  return at === -1 ? undefined : FRAME.exec(stack.slice(at + message.length))?.[1];
}

const OWN = new RegExp(`^crash: (${NAME})(?: (${CODE}))?(?: ([\\w.-]{1,60}:\\d{1,6}))?$`, 'gmu');
/** Node's own report, of what went wrong before the program could report by itself. */
const NODES = new RegExp(`^((?:${NAME})?Error)(?: \\[(${CODE})\\])?(?::|$)`, 'gmu');
const NODES_CODE = new RegExp(`^  code: '(${CODE})'`, 'mu');
const FATAL = /^(?:FATAL ERROR|# Fatal error)/mu;

/** Pure. What a process that ended left on its error output, in a few words; whatever else stands there is dropped. */
export function crashOf(stderr: string): string | undefined {
  const found = [...stderr.matchAll(OWN)].at(-1) ?? [...stderr.matchAll(NODES)].at(-1);
  if (found === undefined) return FATAL.test(stderr) ? 'a fatal error of Node' : undefined;
  const [, name = '', code = NODES_CODE.exec(stderr)?.[1], where] = found;
  return `${name}${code === undefined ? '' : ` ${code}`}${where === undefined ? '' : ` in ${where}`}`;
}
