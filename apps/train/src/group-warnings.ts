/**
 * One line for all cases with the same kind of warning (the same words, other numbers), so that a rare one is not lost
 * among many of a common one.
 */
export function groupWarnings(warnings: readonly { caseId: string; text: string }[]): string[] {
  const kinds = new Map<string, { caseId: string; text: string }[]>();
  for (const warning of warnings) {
    const kind = warning.text.replaceAll(/\d+(\.\d+)?/g, '#');
    kinds.set(kind, [...(kinds.get(kind) ?? []), warning]);
  }
  return [...kinds.values()].map(([first, ...others]) => {
    const { caseId, text } = first as { caseId: string; text: string };
    return others.length === 0
      ? `${caseId}: ${text}`
      : `${others.length + 1} cases, such as ${caseId}: ${text}`;
  });
}
