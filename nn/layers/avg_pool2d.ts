import { avgPool2d as op } from "../../kernels/ops/avg_pool2d.ts";
import { overhang, poolSide } from "../../kernels/ops/pool_windows.ts";
import { flag, MAX_PIXELS, optionalFlag, whole } from "./fields.ts";
import type { LayerKind, Value } from "./layer.ts";
import { type OnnxStep, windowAttributes } from "./onnx_step.ts";

/** Options of an average pool. */
export interface AvgPool2dOptions {
  /** Side of the window. */
  readonly kernel: number;
  /** Pixels from one window to the next. */
  readonly stride: number;
  /** Whether windows may hang over the lower and the right edge. */
  readonly ceilMode: boolean;
  /** Zeros around the image, on every side, at most half a window. Default: none. */
  readonly padding?: number;
  /** Whether these zeros count, as `count_include_pad` in PyTorch. Default: true. */
  readonly countPadding?: boolean;
}

/** The mean of each window. */
export interface AvgPool2dLayer extends AvgPool2dOptions {
  /** Tells it from other layers. */
  readonly kind: "avgPool2d";
  /** The value it is applied to. */
  readonly inputs: readonly [Value];
}

/** The node for windows of which padding counts or does not. */
function pool(windows: Parameters<typeof windowAttributes>[0], counted: 0 | 1): OnnxStep {
  return {
    op: "AveragePool",
    attributes: { ...windowAttributes(windows), count_include_pad: counted },
  };
}

/** The mean of each window; what hangs over an edge does not count, padding does unless told. */
export const avgPool2d: LayerKind<AvgPool2dLayer, [x: Value, options: AvgPool2dOptions]> = {
  kind: "avgPool2d",
  inputs: 1,
  takes: "image",
  fields: {
    kernel: whole({ least: 1, most: MAX_PIXELS }),
    stride: whole({ least: 1, most: MAX_PIXELS }),
    ceilMode: flag,
    padding: whole({
      least: 0,
      most: ({ fields }) => Math.floor(Number(fields.kernel) / 2),
      otherwise: () => 0,
    }),
    countPadding: optionalFlag,
  },
  call: (x, options) => ({ inputs: [x], options }),
  side: (layer, side) => poolSide(side, layer),
  run: (layer, { inputs, apply }) => apply(op, inputs, layer)[0],
  // Windows that hang over an edge are written as padding that does not count, rather than with
  // ceil_mode, which not every runtime takes, and which some round otherwise. Padding that counts
  // is a step of its own where windows hang over it.
  onnx: (layer, { image: { height, width } }) => {
    const { padding = 0, countPadding = true } = layer;
    const over = [height, width].map((side) => overhang(side, layer));
    const counts = padding > 0 && countPadding;
    if (!counts) return [pool({ ...layer, padding, over }, 0)];
    if (Math.max(...over) <= padding) return [pool({ ...layer, padding, over }, 1)];
    const pads = [0, 0, padding, padding, 0, 0, padding, padding];
    const beyond = over.map((end) => Math.max(0, end - padding));
    return [
      {
        op: "Pad",
        constants: [{ part: "pads", shape: [8], data: BigInt64Array.from(pads, BigInt) }],
      },
      { ...pool({ ...layer, padding: 0, over: beyond }, 0), suffix: "pool" },
    ];
  },
};
