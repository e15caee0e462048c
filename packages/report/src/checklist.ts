import type { MeasuredReport } from './report-model.js';

/** What is known about one item. */
export type ItemStatus = 'filled' | 'partly' | 'blank';

/** One item of a reporting checklist, with what the run or its authors say to it. Plain JSON. */
export interface ChecklistItem {
  /** as in the checklist: "12e" */
  number: string;
  section: string;
  /** what it asks, in our own few words: the wording that counts is the source's */
  asks: string;
  status: ItemStatus;
  /** empty when blank */
  answer: string;
  /** who says so */
  from: 'run' | 'authors' | null;
}

/** A reporting checklist, filled as far as it can be without a person. Plain JSON. */
export interface Checklist {
  name: string;
  source: string;
  items: ChecklistItem[];
  filled: number;
  partly: number;
  blank: number;
}

/** What an item's rule gives: text for a full answer, `partly` for what needs a person to finish, nothing for a blank. */
export type Answer = string | { partly: string } | { authors: string } | undefined;

export interface ItemRule {
  number: string;
  section: string;
  asks: string;
  answer?: (report: MeasuredReport) => Answer;
}

export const partly = (text: string | undefined): Answer =>
  text === undefined ? undefined : { partly: text };

/** A sentence of the study's facts; blank unless given. */
export const authors = (text: string | undefined): Answer =>
  text === undefined ? undefined : { authors: text };

/** Fills the rules; `given` answers by item number win over the run's. */
export function fillChecklist(
  { name, source, rules }: { name: string; source: string; rules: readonly ItemRule[] },
  report: MeasuredReport,
  given: Readonly<Record<string, string>> = {},
): Checklist {
  const items = rules.map(({ number, section, asks, answer }): ChecklistItem => {
    const own = given[number];
    const found: Answer = own !== undefined ? { authors: own } : answer?.(report);
    const item = { number, section, asks };
    if (found === undefined) return { ...item, status: 'blank', answer: '', from: null };
    if (typeof found === 'string') return { ...item, status: 'filled', answer: found, from: 'run' };
    return 'partly' in found
      ? { ...item, status: 'partly', answer: found.partly, from: 'run' }
      : { ...item, status: 'filled', answer: found.authors, from: 'authors' };
  });
  const count = (status: ItemStatus) => items.filter((item) => item.status === status).length;
  return { name, source, items, filled: count('filled'), partly: count('partly'), blank: count('blank') };
}
