import { fileSize, scaled } from "../text.ts";

/** A network by what it can do and what it takes. */
export interface ParetoPoint {
  /** Its name within its run, as `small-2`. */
  readonly name: string;
  /** The run that it is of, where that is another one. */
  readonly run?: string;
  readonly colour: string;
  /** Part of the validation images that it tells rightly, of several seeds the mean. */
  readonly top1: number;
  /** Multiply-accumulates for one image. */
  readonly macs: number;
  readonly params: number;
  /** Bytes of its file. */
  readonly bytes?: number;
  /** Milliseconds for one image, where they were measured. */
  readonly latency?: number;
}

/** Something that a network takes, the less the better. */
export interface Measure {
  /** The head of its column. */
  readonly head: string;
  /** The words below its axis. */
  readonly label: string;
  readonly of: (point: ParetoPoint) => number | undefined;
  /** A value in a column. */
  readonly words: (value: number) => string;
  /** A value at an axis. */
  readonly tick: (value: number) => string;
}

const UNITS = [[1e12, " T"], [1e9, " G"], [1e6, " M"], [1e3, " k"], [1, ""]] as const;

/** A number in as few digits as it has: `500 k`, `1.5 M`. */
function short(value: number): string {
  const [size, unit] = UNITS.find(([size]) => value >= size) ?? [1, ""];
  return `${Number((value / size).toPrecision(3))}${unit}`;
}

/** All that networks are measured by, in the order of panels and columns. */
export const MEASURES: readonly Measure[] = [
  {
    head: "MACs",
    label: "multiply-accumulates of one image",
    of: ({ macs }) => macs,
    words: scaled,
    tick: short,
  },
  {
    head: "parameters",
    label: "parameters",
    of: ({ params }) => params,
    words: scaled,
    tick: short,
  },
  {
    head: "file",
    label: "bytes of the file",
    of: ({ bytes }) => bytes,
    words: fileSize,
    tick: (value) => value === 0 ? "0" : `${short(value)}${value < 1000 ? " " : ""}B`,
  },
  {
    head: "latency",
    label: "ms for one image, onnxruntime-web",
    of: ({ latency }) => latency,
    words: (value) => `${value.toPrecision(3)} ms`,
    tick: short,
  },
];

/** The measures that at least two networks have. */
export function measuresOf(points: readonly ParetoPoint[]): Measure[] {
  return MEASURES.filter(({ of }) => points.filter((point) => of(point) !== undefined).length > 1);
}

/**
 * The networks than which no other takes as little and tells as much, from the one that takes least
 * on; of two that are alike in both, the first.
 */
export function front(
  points: readonly ParetoPoint[],
  { of }: Pick<Measure, "of">,
): ParetoPoint[] {
  const sorted = points.flatMap((point) => {
    const value = of(point);
    return value === undefined ? [] : [{ point, value }];
  }).sort((a, b) => a.value - b.value || b.point.top1 - a.point.top1);
  let most = -Infinity;
  return sorted.filter(({ point: { top1 } }) => {
    if (top1 <= most) return false;
    most = top1;
    return true;
  }).map(({ point }) => point);
}
