import type { PngImage } from './encode-png.js';

/** Where in a slice the model looked: a picture made elsewhere, such as a heat map over the CT. */
export interface ExplanationMap {
  /** anonymous, as in `AttentionCase` */
  caseLabel: string;
  /** such as "integrated gradients" or "attention rollout" */
  method: string;
  /** z index in the volume */
  sliceIndex: number;
  /** the picture's pixels, or the bytes of a PNG file */
  image: PngImage | Uint8Array;
  /** the slice's share of the attention */
  attention?: number;
  /** the share of the map's absolute sum that lies inside the lesion */
  insideLesion?: number;
}

/** Does a map change when the model's weights are randomised? One that does not explains the image, not the model. */
export interface SanityCheck {
  method: string;
  /** what was randomised, such as "last four blocks" */
  randomised: string;
  /** rank correlation of the maps before and after */
  correlation: number;
  /** true when the correlation is low enough, by the limit that the caller set */
  passed: boolean;
  limit?: number;
}

/** The training cases that lie nearest to a case in the embedding. */
export interface NearestCases {
  caseLabel: string;
  label?: number;
  probability?: number;
  /** nearest first; labels anonymous */
  neighbours: { caseLabel: string; label: number; similarity: number; probability?: number }[];
}

/** How much AUC is lost when one variable is shuffled over the cases. */
export interface VariableImportance {
  variable: string;
  /** AUC before minus mean AUC after; above 0 the model uses the variable */
  aucDrop: number;
  /** limits over the repetitions, where they are known */
  lower?: number;
  upper?: number;
}

/** What other packages found out about why the model says what it says; every part may be left out. */
export interface ReportExplanation {
  maps?: readonly ExplanationMap[];
  sanityChecks?: readonly SanityCheck[];
  nearest?: readonly NearestCases[];
  /** the measure of `similarity`, such as "cosine similarity" */
  similarityName?: string;
  importance?: readonly VariableImportance[];
  /** how the importance was measured, such as "20 permutations, test cases" */
  importanceNote?: string;
}
