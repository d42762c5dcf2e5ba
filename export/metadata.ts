import type { Normalization } from "../data/dataset.ts";
import { DataError } from "../data/error.ts";
import { parseJson, wrongKey } from "../data/json.ts";
import { printable, printableJson } from "../data/printable.ts";
import { type Interpolation, INTERPOLATIONS } from "../data/resample.ts";
import { unfitName } from "../data/unfit_name.ts";
import { isWhich, type Which } from "../nn/which.ts";

/** The description of a saved network besides its layers and weights. */
export interface CheckpointInfo {
  /** The whole network, or the small one. */
  readonly which: Which;
  /** Names of the classes, in the order of the logits. */
  readonly classes: readonly string[];
  /** Height, width and channels of the images. */
  readonly image: readonly [number, number, number];
  /** Mean and standard deviation by which pixels have to be normalised. */
  readonly normalization: Normalization;
  /**
   * The side of the central part of a picture that is shown over its shorter side, in (0, 1].
   * Default: 1.
   */
  readonly cropPct?: number;
  /** The filter by which pictures are brought to the size of the images. Default: bilinear. */
  readonly interpolation?: Interpolation;
  /** Fraction of the validation set. */
  readonly top1?: number;
}

/** The names of networks, in words. */
const NAMES = "base, small or the name of one of several small networks";

/** Strings by name, as files have them. */
export type Metadata = Readonly<Record<string, string>>;

/** Fields of a {@link CheckpointInfo} by the names that files have for them, still unchecked. */
type RawInfo = Readonly<
  Record<
    "which" | "classes" | "image" | "mean" | "std" | "crop_pct" | "interpolation" | "top1",
    unknown
  >
>;

/** The `format` in the metadata of a checkpoint that a run goes on from. */
export const TRAINING_STATE = "adjoin training state";

/** Raises an error for a field that is not what was wanted; `words` say more than what was found. */
type Refuse = (key: string, wanted: string, found: unknown, words?: string) => never;

function isNumbers(value: unknown, count: number, fits: (x: number) => boolean): value is number[] {
  return Array.isArray(value) && value.length === count && value.every((x) => Number.isFinite(x)) &&
    value.every(fits);
}

/** Checks what is read and what is written alike. */
function checkInfo(raw: RawInfo, refuse: Refuse): CheckpointInfo {
  const field = <T>(
    key: keyof RawInfo,
    wanted: string,
    fits: (value: unknown) => value is T,
  ): T => {
    const found = raw[key];
    return fits(found) ? found : refuse(key, wanted, found);
  };
  const which = field("which", NAMES, isWhich);
  const classes = field(
    "classes",
    "names",
    (x): x is string[] => Array.isArray(x) && x.every((name) => typeof name === "string"),
  );
  for (const name of classes) {
    const why = unfitName(name);
    if (why) refuse("classes", "names", name, `${printable(name)}, ${why}`);
  }
  const image = field(
    "image",
    "height, width and channels",
    (x): x is [number, number, number] =>
      isNumbers(x, 3, (size) => Number.isSafeInteger(size) && size > 0),
  );
  const channelwise = (fits: (x: number) => boolean) => (x: unknown): x is number[] =>
    isNumbers(x, image[2], fits);
  const wanted = `a number for each of ${image[2]} channels`;
  const normalization = {
    mean: field("mean", wanted, channelwise(() => true)),
    std: field("std", `${wanted}, above 0,`, channelwise((x) => x > 0)),
  };
  const cropPct = raw.crop_pct === undefined ? {} : {
    cropPct: field(
      "crop_pct",
      "a number above 0, at most 1,",
      (x): x is number => typeof x === "number" && x > 0 && x <= 1,
    ),
  };
  const interpolation = raw.interpolation === undefined ? {} : {
    interpolation: field(
      "interpolation",
      INTERPOLATIONS.join(" or "),
      (x): x is Interpolation => INTERPOLATIONS.some((known) => known === x),
    ),
  };
  const top1 = raw.top1 === undefined ? {} : {
    top1: field(
      "top1",
      "a fraction",
      (x): x is number => typeof x === "number" && x >= 0 && x <= 1,
    ),
  };
  return { which, classes, image, normalization, ...cropPct, ...interpolation, ...top1 };
}

/** The fields of a description by the names that files have for them. */
function rawOf(info: CheckpointInfo): RawInfo {
  const { which, classes, image, normalization, cropPct, interpolation, top1 } = info;
  const { mean, std } = normalization;
  return { which, classes, image, mean, std, crop_pct: cropPct, interpolation, top1 };
}

/** A description out of a file, checked. Raises a {@link DataError} that names `file`. */
export function checkedInfo(info: CheckpointInfo, file: string): CheckpointInfo {
  return checkInfo(rawOf(info), (key, wanted, found, words = printableJson(found)) => {
    throw new DataError(`Cannot load ${file}: wanted ${wanted} as ${key}, found ${words}`);
  });
}

/**
 * The description of a network as strings; all but the words of `which` and `interpolation` are
 * JSON. Raises a `TypeError` for what
 * {@link parseInfo} would refuse.
 */
export function encodeInfo(info: CheckpointInfo): Metadata {
  const { which, classes, image, normalization, cropPct, interpolation, top1 } = info;
  const { mean, std } = normalization;
  checkInfo(rawOf(info), (key, wanted, found, words = printableJson(found)) => {
    throw new TypeError(`Cannot save the network: wanted ${wanted} as ${key}, found ${words}`);
  });
  return {
    which,
    classes: JSON.stringify(classes),
    image: JSON.stringify(image),
    mean: JSON.stringify(mean),
    std: JSON.stringify(std),
    ...(cropPct === undefined ? {} : { crop_pct: String(cropPct) }),
    ...(interpolation === undefined ? {} : { interpolation }),
    ...(top1 === undefined ? {} : { top1: String(top1) }),
  };
}

/** The value of a key that has to be there. Raises a {@link DataError} that names `file`. */
export function metadataField(metadata: Metadata, key: string, file: string): unknown {
  if (!Object.hasOwn(metadata, key)) {
    const found = metadata.format === TRAINING_STATE
      ? "a checkpoint of a run; take its networks with parseNetworks()"
      : `no ${key} in its metadata`;
    throw new DataError(
      `Cannot load ${file}: wanted a network saved by adjoin, found ${found}`,
    );
  }
  try {
    return parseJson(metadata[key]);
  } catch (error) {
    const found = wrongKey(error);
    throw new DataError(
      `Cannot load ${file}: the ${key} in its metadata ${found ? `has ${found}` : "is not JSON"}`,
    );
  }
}

/** The inverse of {@link encodeInfo}. Raises a {@link DataError} that names `file`. */
export function parseInfo(metadata: Metadata, file: string): CheckpointInfo {
  const refuse: Refuse = (key, wanted, _, words) => {
    const found = words ??
      (Object.hasOwn(metadata, key) ? printable(metadata[key]) || '""' : "none");
    throw new DataError(
      `Cannot load ${file}: wanted ${wanted} as ${key} in its metadata, found ${found}`,
    );
  };
  const of = (key: string): unknown => metadataField(metadata, key, file);
  const has = (key: string): boolean => Object.hasOwn(metadata, key);
  const which = has("which") ? metadata.which : undefined;
  if (!isWhich(which)) return refuse("which", NAMES, which);
  const [classes, image, mean, std] = ["classes", "image", "mean", "std"].map(of);
  const [crop_pct, top1] = ["crop_pct", "top1"].map((key) => has(key) ? of(key) : undefined);
  const interpolation = has("interpolation") ? metadata.interpolation : undefined;
  const raw = { which, classes, image, mean, std, crop_pct, interpolation, top1 };
  return checkInfo(raw, refuse);
}
