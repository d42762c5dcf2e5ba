/** Ways from the values that occur to the range that is told apart, by name. */
export const CALIBRATION_NAMES = ["percentile", "entropy", "minmax"] as const;

/** The name of one of these ways. */
export type Calibration = typeof CALIBRATION_NAMES[number];
