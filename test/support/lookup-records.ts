/** A usable record of a lookup file, for the model `llama`. */
export function lookupRecord(
  info: Readonly<Record<string, unknown>>,
  predictions: readonly number[] = [100, 200, 300],
): Record<string, unknown> {
  return {
    status: 'success',
    model_type: 'llama',
    model_info: info,
    quantiles: [0.1, 0.5, 0.9],
    quantile_predictions: predictions,
  };
}
