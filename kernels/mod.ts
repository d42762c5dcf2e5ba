import { conv2d, maskedConv2d } from "./conv2d.ts";
import type { Op } from "./op.ts";

/** All ops. From their cases follow the parity tests, the gradient tests and the benches. */
export const ops: readonly Op[] = [conv2d, maskedConv2d];
