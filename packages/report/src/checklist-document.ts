import type { Checklist } from './checklist.js';
import { claim } from './checklist-claim.js';
import { tripodAi } from './checklist-tripod-ai.js';
import { METRICS_SOURCE, type MetricsScore, metricsScore } from './metrics-score.js';
import type { ReportInput } from './report-input.js';
import { type MeasuredReport, measure } from './report-model.js';
import { type Block, documentHtml, documentMarkdown, type TextDocument } from './text-document.js';

/** TRIPOD+AI, CLAIM and METRICS of one evaluation. Plain JSON. */
export interface ReportChecklists {
  tripodAi: Checklist;
  claim: Checklist;
  metrics: MetricsScore;
}

/**
 * Fills TRIPOD+AI (52 items and parts), CLAIM's 2024 update (44 items) and the METRICS score (30 items) with what the run knows and
 * what `study` and `checklists` say. What neither knows is blank: nothing is guessed.
 *
 * @throws ReportError, MetricsError as `renderReport`
 * @example
 * fillChecklists(input).tripodAi.items.filter((item) => item.status === 'blank').map((item) => item.number)
 */
export function fillChecklists(input: ReportInput): ReportChecklists {
  return checklistsOf(measure(input));
}

/**
 * The checklists as Markdown and as one HTML page.
 *
 * @throws ReportError, MetricsError as `renderReport`
 * @example
 * await writeFile('checklists.md', renderChecklists(input).markdown)
 */
export function renderChecklists(input: ReportInput): { markdown: string; html: string } {
  const document = checklistDocument(measure(input));
  return { markdown: documentMarkdown(document), html: documentHtml(document).text };
}

export function checklistsOf(report: MeasuredReport): ReportChecklists {
  return { tripodAi: tripodAi(report), claim: claim(report), metrics: metricsScore(report) };
}

export function checklistDocument(report: MeasuredReport): TextDocument {
  const { tripodAi: tripod, claim: claimed, metrics } = checklistsOf(report);
  return {
    kicker: 'Reporting checklists',
    title: report.title,
    lead: 'Filled from the run where the run knows the answer; everything else is a marked blank for the authors. Item texts are shortened: use the published checklists to submit.',
    synthetic: report.synthetic,
    sections: [
      { id: 'tripod-ai', title: tripod.name, blocks: checklistBlocks(tripod, 'tripod-ai') },
      { id: 'claim', title: claimed.name, blocks: checklistBlocks(claimed, 'claim') },
      { id: 'metrics', title: 'METRICS', blocks: metricsBlocks(metrics) },
    ],
  };
}

export function checklistBlocks({ source, items, filled, partly, blank }: Checklist, csv: string): Block[] {
  return [
    { text: `${source} ${filled} filled, ${partly} partly, ${blank} blank.` },
    {
      caption: 'Items',
      csv: `checklist-${csv}`,
      columns: ['Item', 'Topic', 'Asks', 'State', 'Answer'],
      rows: items.map(({ number, section, asks, status, answer, from }) => [
        number,
        section,
        asks,
        status === 'blank'
          ? 'BLANK'
          : from === 'authors'
            ? 'authors'
            : status === 'partly'
              ? 'partly, from the run'
              : 'from the run',
        status === 'blank' ? '________' : answer,
      ]),
    },
  ];
}

export function metricsBlocks({ score, highest, band, conditions, items }: MetricsScore): Block[] {
  const blank = items.filter(({ answer }) => answer === 'blank').length;
  return [
    {
      text: `Score ${score.toFixed(1)}% (${band}), ${blank === 0 ? 'nothing blank' : `with the ${blank} blanks counted as "no"; at most ${highest.toFixed(1)}% if all of them are met`}. ${METRICS_SOURCE}.`,
    },
    {
      caption: 'Conditions: they decide which items apply; "no" unless stated',
      csv: 'metrics-conditions',
      columns: ['Condition', 'Question', 'Answer', 'Said by'],
      rows: conditions.map(({ number, name, answer, from }) => [
        number.slice(1),
        name,
        answer,
        from ?? 'nobody',
      ]),
    },
    {
      caption: 'Items and weights',
      csv: 'metrics-items',
      columns: ['Item', 'Category', 'Name', 'Weight', 'Answer', 'Why'],
      rows: items.map(({ number, category, name, weight, answer, reason, from }) => [
        number,
        category,
        name,
        weight,
        answer === 'blank' ? 'BLANK' : answer,
        answer === 'blank' ? '________' : reason || (from === 'authors' ? 'authors' : ''),
      ]),
    },
  ];
}
