/** Mean and standard deviation of fractions in percent, as `43.5 ± 1.1`; of one, itself. */
export function spread(values: readonly number[]): string {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1);
  const percent = (v: number) => (100 * v).toFixed(1);
  return values.length > 1 ? `${percent(mean)} ± ${percent(Math.sqrt(variance))}` : percent(mean);
}
