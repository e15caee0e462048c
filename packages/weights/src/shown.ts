/**
 * A value from a file as it may stand in a message. Only text and numbers are printed: a nested value could be deep enough
 * to exhaust the stack, or large.
 */
export function shown(value: unknown): string {
  if (typeof value === 'string')
    return JSON.stringify(value.length > 200 ? `${value.slice(0, 200)}...` : value);
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return String(value);
}
