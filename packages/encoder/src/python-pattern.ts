import { EncoderError } from './encoder-error.js';

/** A pattern of layer names is short; a longer one is a mistake or an attack. */
const MAX_LENGTH = 512;
/** Each `*` or `+` multiplies the worst case of a match by the length of a name (about 50): six stay below a second. */
const MAX_REPEATS = 6;

/**
 * A regular expression of Python as adapter_config.json carries it, to be matched as a whole (`re.fullmatch`). Repeated
 * groups such as `(a+)+` are refused: they can take exponential time, and adapters come from strangers.
 *
 * @throws EncoderError UNSUPPORTED
 */
export function pythonPattern(field: string, pattern: string): RegExp {
  const refuse = (why: string, cause?: unknown): never => {
    const message = `LoRA: ${field} has the pattern ${JSON.stringify(pattern.slice(0, 80))}, which ${why}.`;
    throw new EncoderError({ code: 'UNSUPPORTED', message, cause });
  };
  if (pattern.length > MAX_LENGTH) refuse(`is longer than ${MAX_LENGTH} characters`);
  if (/\)[*+{]/.test(pattern)) refuse('repeats a group; write it without');
  if ((pattern.match(/[*+{]/g)?.length ?? 0) > MAX_REPEATS) refuse(`repeats more than ${MAX_REPEATS} times`);
  try {
    return new RegExp(`^(?:${pattern.replaceAll('(?P<', '(?<')})$`);
  } catch (cause) {
    return refuse('is no regular expression', cause);
  }
}
