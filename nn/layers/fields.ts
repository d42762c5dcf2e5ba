import { type Pair, pairOf, type Sides } from "../../kernels/wgsl/geometry.ts";

/** The values that a field may depend on. */
export interface FieldContext {
  /** The fields before it. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Channels of the first input. */
  readonly channels: number;
}

/** A field of a kind of layers: what it may be, and how files have it. */
export interface Field {
  /** In words, after "wanted": `a whole number from 1 on`. */
  wanted(context: FieldContext): string;
  /** Whether a value is one for it. */
  fits(value: unknown, context: FieldContext): boolean;
  /**
   * The value where none is given; `undefined` where there is none then. Fields without it have to
   * be given.
   */
  otherwise?(context: FieldContext): unknown;
  /** The form that it has in files. Default: the same. */
  readonly json?: {
    /** In words. */
    wanted(context: FieldContext): string;
    /** The value, `undefined` for what is none. */
    parse(json: unknown, context: FieldContext): unknown;
    /** The inverse of `parse`. */
    encode(value: unknown): unknown;
  };
}

/** A bound that may depend on the fields before it. */
type Bound = number | ((context: FieldContext) => number);

function boundOf(bound: Bound, context: FieldContext): number {
  return typeof bound === "number" ? bound : bound(context);
}

/** A whole number from `least` on, to `most`. */
export function whole(
  { least, most = Infinity, otherwise }: {
    least: number;
    most?: Bound;
    otherwise?: (context: FieldContext) => number | undefined;
  },
): Field {
  return {
    wanted: (context) => {
      const high = boundOf(most, context);
      return `a whole number from ${least} ${high === Infinity ? "on" : `to ${high}`}`;
    },
    fits: (value, context) =>
      Number.isSafeInteger(value) && Number(value) >= least &&
      Number(value) <= boundOf(most, context),
    ...(otherwise && { otherwise }),
  };
}

/** A whole number from `least` on, to `most`, or two of them, `[height, width]`. */
export function sides(
  { otherwise, ...bounds }: {
    least: number;
    most?: number;
    otherwise?: (context: FieldContext) => Sides | undefined;
  },
): Field {
  const one = whole(bounds);
  return {
    wanted: (context) => `${one.wanted(context)}, or [height, width]`,
    fits: (value, context) =>
      Array.isArray(value)
        ? value.length === 2 && value.every((side) => one.fits(side, context))
        : one.fits(value, context),
    ...(otherwise && { otherwise }),
  };
}

/** A finite number, `otherwise` unless given. */
export function real({ otherwise }: { otherwise: number }): Field {
  return {
    wanted: () => "a finite number",
    fits: (value) => Number.isFinite(value),
    otherwise: () => otherwise,
  };
}

/** A finite number, above 0 or from 0 on, and `otherwise` unless given. */
export function positive(
  { zero = false, otherwise }: { zero?: boolean; otherwise: number },
): Field {
  return {
    wanted: () => zero ? "a finite number from 0 on" : "a finite number above 0",
    fits: (value) => Number.isFinite(value) && (zero ? Number(value) >= 0 : Number(value) > 0),
    otherwise: () => otherwise,
  };
}

/** The most pixels that a window, a step or a margin may have; sides of images are below. */
export const MAX_PIXELS = 65_535;

/** `true` or `false`, the latter unless given. */
export const flag: Field = {
  wanted: () => "true or false",
  fits: (value) => typeof value === "boolean",
  otherwise: () => false,
};

/** `true` or `false`, which is kept out of files and layers where it is not given. */
export const optionalFlag: Field = { ...flag, otherwise: () => undefined };

/** A share of a whole that is never all of it. */
export const share: Field = {
  wanted: () => "a number from 0 to below 1",
  fits: (value) => Number.isFinite(value) && Number(value) >= 0 && Number(value) < 1,
};

/** The name of a layer. */
export const layerName: Field = {
  wanted: () => "a text that is not empty",
  fits: (value) => typeof value === "string" && value !== "",
};

/** A field that {@link sides} has let pass, as rows and columns. */
export function pairIn(value: unknown): Pair {
  return Array.isArray(value) ? [Number(value[0]), Number(value[1])] : pairOf(Number(value));
}

function tapsOf({ fields }: FieldContext): number {
  const [height, width] = pairIn(fields.kernel);
  return height * width;
}

/**
 * For each tap of a kernel, row by row, whether it is kept; in files a string of ones and zeros.
 */
export const taps: Field = {
  wanted: (context) => `${tapsOf(context)} times true or false`,
  fits: (value, context) =>
    Array.isArray(value) && value.length === tapsOf(context) &&
    value.every((tap) => typeof tap === "boolean"),
  otherwise: () => undefined,
  json: {
    wanted: (context) => `${tapsOf(context)} ones and zeros`,
    parse: (json, context) =>
      typeof json === "string" && json.length === tapsOf(context) && /^[01]*$/.test(json)
        ? [...json].map((tap) => tap === "1")
        : undefined,
    encode: (value) => Array.isArray(value) ? value.map(Number).join("") : undefined,
  },
};
