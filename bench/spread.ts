/** Mean of numbers. */
function meanOf(values: readonly number[]): number {
  return values.reduce((sum, v) => sum + v, 0) / values.length;
}

/** Their standard deviation, that of a sample. */
function deviation(values: readonly number[]): number {
  const mean = meanOf(values);
  return Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1));
}

const percent = (v: number): string => (100 * v).toFixed(1);

/** Mean and standard deviation of fractions in percent, as `43.5 ± 1.1`; of one, itself. */
export function spread(values: readonly number[]): string {
  const mean = percent(meanOf(values));
  return values.length > 1 ? `${mean} ± ${percent(deviation(values))}` : mean;
}

/**
 * The mean of what fractions are above others, seed by seed, in points, and its standard error:
 * `+3.0 ± 0.5`.
 */
export function gain(own: readonly number[], other: readonly number[]): string {
  const differences = own.map((value, i) => value - other[i]);
  const mean = meanOf(differences);
  const points = `${mean < 0 ? "" : "+"}${percent(mean)}`;
  const error = deviation(differences) / Math.sqrt(differences.length);
  return differences.length > 1 ? `${points} ± ${percent(error)}` : points;
}
