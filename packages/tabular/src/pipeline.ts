import {
  fitLogistic,
  type LogisticOptions,
  type LogisticParameters,
  restoreLogistic,
} from './fit-logistic.js';
import { fitImputer, type ImputerParameters, restoreImputer } from './impute.js';
import { fitOneHot, type OneHotParameters, restoreOneHot, type UnknownCategory } from './one-hot.js';
import { fitScaler, restoreScaler, type ScalerParameters } from './standardise.js';
import { TabularError } from './tabular-error.js';

/** One row of a table by column; null where a value is missing. */
export type Row = Readonly<Record<string, number | string | null>>;

export interface PipelineOptions extends LogisticOptions {
  /** Columns of numbers: imputed by their median, standardised. */
  numeric?: readonly string[];
  /** Columns of categories (texts, or numbers as codes): one 0/1 column each. */
  categorical?: readonly string[];
  /** Whether a column that lacks values in the training rows gets a 0/1 column for it; true unless given. */
  indicator?: boolean;
  /** What a category that the training rows lack does: all zeros (`ignore`, unless given) or `UNKNOWN_CATEGORY`. */
  unknown?: UnknownCategory;
}

/** Everything that was fitted: plain JSON. */
export interface PipelineParameters {
  version: 1;
  numeric: string[];
  categorical: string[];
  imputer: ImputerParameters | null;
  scaler: ScalerParameters | null;
  oneHot: OneHotParameters | null;
  model: LogisticParameters;
  /** How many rows it was fitted on. */
  fittedOn: number;
}

/** Rows of a table to probabilities; `JSON.stringify` keeps its parameters. */
export interface Pipeline extends PipelineParameters {
  /** What each coefficient of the model belongs to: `age`, `age missing`, `stage=III`. */
  features: string[];
  /** The model's input, [rows][features]. */
  transform(rows: readonly Row[]): number[][];
  logits(rows: readonly Row[]): number[];
  /** Of label 1. */
  probabilities(rows: readonly Row[]): number[];
}

/**
 * Fits, on the training rows and on nothing else: median imputation with missing indicators and standardisation of the
 * numeric columns, one-hot of the categorical ones, and a logistic regression with an L2 penalty on the result. Nothing of
 * it can be refitted: give the training rows of one fold, and use the result on that fold's other rows.
 *
 * @throws TabularError `COLUMN` for a column that is not there or holds the wrong kind of value, `EMPTY` without columns,
 *   and what {@link fitImputer}, {@link fitOneHot} and {@link fitLogistic} throw
 * @see scikit-learn `ColumnTransformer` of `SimpleImputer(strategy='median', add_indicator=True)` + `StandardScaler` and of
 *   `OneHotEncoder(handle_unknown='ignore')`, then `LogisticRegression`
 * @example
 * const pipeline = fitPipeline(trainingRows, labels, { numeric: ['age'], categorical: ['stage'], c: 1 });
 * const probabilities = pipeline.probabilities(testRows);
 */
export function fitPipeline(
  rows: readonly Row[],
  labels: ArrayLike<number>,
  { numeric = [], categorical = [], indicator = true, unknown = 'ignore', ...options }: PipelineOptions,
): Pipeline {
  checkColumns([...numeric, ...categorical]);
  if (rows.length === 0) {
    throw new TabularError({ code: 'EMPTY', message: 'There are no training rows.' });
  }
  const imputer = numeric.length > 0 ? fitNumeric(rows, numeric, indicator) : null;
  const scaler = imputer && fitScaler(imputer.transform(numbers(rows, numeric)));
  const oneHot = categorical.length > 0 ? fitOneHot(categories(rows, categorical), { unknown }) : null;
  const prepared = {
    version: 1 as const,
    numeric: [...numeric],
    categorical: [...categorical],
    imputer,
    scaler,
    oneHot,
    fittedOn: rows.length,
  };
  const untrained = assemble({ ...prepared, model: { coefficients: [], intercept: 0 } });
  const { coefficients, intercept } = fitLogistic(untrained.transform(rows), labels, options);
  return assemble({ ...prepared, model: { coefficients, intercept } });
}

/**
 * A pipeline from its parameters.
 *
 * @param parameters parsed JSON of what {@link fitPipeline} gave
 * @throws TabularError `PARAMETERS` where it is something else
 * @example
 * restorePipeline(JSON.parse(text)).probabilities(rows)
 */
export function restorePipeline(parameters: unknown): Pipeline {
  const given = parameters as PipelineParameters;
  try {
    const { numeric, categorical, imputer, scaler, oneHot, model, fittedOn } = given;
    if (given.version !== 1) throw new Error(`version is ${String(given.version)}, not 1`);
    const pipeline = assemble({
      version: 1,
      numeric: [...numeric],
      categorical: [...categorical],
      imputer: imputer && { values: finite(imputer.values), indicators: finite(imputer.indicators) },
      scaler: scaler && { means: finite(scaler.means), deviations: finite(scaler.deviations) },
      oneHot: oneHot && { categories: oneHot.categories.map((each) => [...each]), unknown: oneHot.unknown },
      model: {
        coefficients: finite(model.coefficients),
        intercept: finite([model.intercept])[0]!,
      },
      fittedOn,
    });
    const [features, coefficients] = [pipeline.features.length, model.coefficients.length];
    const widths = imputer ? imputer.values.length + imputer.indicators.length : 0;
    if (features !== coefficients) throw new Error(`${coefficients} coefficients for ${features} features`);
    if (
      (imputer?.values.length ?? 0) !== numeric.length ||
      (scaler?.means.length ?? 0) !== widths ||
      (scaler?.deviations.length ?? 0) !== widths ||
      (oneHot?.categories.length ?? 0) !== categorical.length
    )
      throw new Error('its parts are of different lengths');
    return pipeline;
  } catch (cause) {
    throw new TabularError({
      code: 'PARAMETERS',
      message: `This is not a fitted pipeline: ${(cause as Error).message}.`,
      cause,
    });
  }
}

function assemble(parameters: PipelineParameters): Pipeline {
  const { numeric, categorical } = parameters;
  const imputer = parameters.imputer && restoreImputer(parameters.imputer);
  const scaler = parameters.scaler && restoreScaler(parameters.scaler);
  const oneHot = parameters.oneHot && restoreOneHot(parameters.oneHot);
  const model = restoreLogistic(parameters.model);
  const transform = (rows: readonly Row[]) => {
    const scaled = imputer && scaler ? scaler.transform(imputer.transform(numbers(rows, numeric))) : [];
    const encoded = oneHot ? oneHot.transform(categories(rows, categorical)) : [];
    return rows.map((_, i) => [...(scaled[i] ?? []), ...(encoded[i] ?? [])]);
  };
  return {
    ...parameters,
    features: [
      ...numeric,
      ...(imputer?.indicators ?? []).map((column) => `${numeric[column]} missing`),
      ...(oneHot?.categories ?? []).flatMap((each, column) =>
        each.map((category) => `${categorical[column]}=${category ?? 'missing'}`),
      ),
    ],
    transform,
    logits: (rows) => model.logits(transform(rows)),
    probabilities: (rows) => model.probabilities(transform(rows)),
  };
}

/** The imputer, its complaint about an empty column by name. */
function fitNumeric(rows: readonly Row[], columns: readonly string[], indicator: boolean) {
  const values = numbers(rows, columns);
  const empty = columns.find((_, column) => values.every((row) => row[column] === null));
  if (empty !== undefined) {
    throw new TabularError({
      code: 'COLUMN',
      message: `No training row has a value of ${empty}: leave the column out.`,
    });
  }
  return fitImputer(values, { indicator });
}

function numbers(rows: readonly Row[], columns: readonly string[]): (number | null)[][] {
  return rows.map((row, at) =>
    columns.map((name) => {
      const value = cell(row, name, at);
      if (value === null || (typeof value === 'number' && Number.isFinite(value))) return value;
      throw new TabularError({
        code: 'COLUMN',
        message: `Row ${at}: ${name} is ${JSON.stringify(value)}, and a numeric column holds finite numbers. Name it among the categorical columns, or mend it.`,
      });
    }),
  );
}

function categories(rows: readonly Row[], columns: readonly string[]): (string | null)[][] {
  return rows.map((row, at) =>
    columns.map((name) => {
      const value = cell(row, name, at);
      return value === null ? null : String(value);
    }),
  );
}

function cell(row: Row, name: string, at: number): number | string | null {
  const value = Object.hasOwn(row, name) ? row[name] : undefined;
  if (value !== undefined) return value;
  throw new TabularError({
    code: 'COLUMN',
    message: `Row ${at} has no column ${name}; it has ${Object.keys(row).join(', ') || 'none'}.`,
  });
}

function checkColumns(columns: readonly string[]): void {
  if (columns.length === 0) {
    throw new TabularError({ code: 'EMPTY', message: 'No column is named, numeric or categorical.' });
  }
  const twice = columns.find((name, at) => columns.indexOf(name) !== at);
  if (twice !== undefined) {
    throw new TabularError({ code: 'COLUMN', message: `The column ${twice} is named twice.` });
  }
}

function finite(values: readonly number[]): number[] {
  if (!values.every(Number.isFinite)) throw new Error('a number is missing in it');
  return [...values];
}
