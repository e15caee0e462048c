/** A column of the test cases to break the main model's results down by: sex, scanner, hospital, receptor status, age. */
export interface SubgroupColumn {
  /** as printed, such as "HER2" */
  name: string;
  /**
   * The value of each test case, in the models' case order; null (or an empty text) where it is not known, which makes a
   * group of its own. Numbers with more than six distinct values are cut into ranges.
   */
  values: readonly (string | number | null)[];
  /** where a numeric column is cut: [50, 65] makes "< 50", "50 to < 65" and ">= 65"; its tertiles unless given */
  cuts?: readonly number[];
  /** the groups' order; by text or number unless given */
  order?: readonly string[];
}

/** A group with fewer is counted but not measured. */
export interface SubgroupMinimum {
  cases: number;
  /** of each class */
  perClass: number;
}

/** 20 cases with 5 of each class: below that an interval spans most of the scale and a figure says more than is known. */
export const DEFAULT_MINIMUM: SubgroupMinimum = { cases: 20, perClass: 5 };
