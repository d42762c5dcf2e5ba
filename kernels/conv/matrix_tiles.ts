import type { Device } from "../gpu/device.ts";
import { PerDevice } from "../gpu/per_device.ts";
import {
  dividesEvenly,
  type MatrixBlock,
  matrixBlock,
  type StagedOrders,
} from "../matrix/block.ts";
import { emulatedOperations } from "../matrix/emulated.ts";
import { unitOperations } from "../matrix/units.ts";
import type { MatrixOperations } from "../matrix/operations.ts";
import type { MatrixTile } from "../matrix/tile.ts";
import { convolutionPresets } from "./convolution_preset.ts";
import { fits } from "./tiles.ts";
import type { Work } from "./work.ts";

/** The matrix operations of a device and the tiles of its preset. */
export interface DeviceMatrices {
  /** The operations; null where kernels do without. */
  readonly operations: MatrixOperations | null;
  /** The tiles that the device can run. */
  readonly tiles: readonly MatrixTile[];
}

/** Orders of staging whose tiles take the most workgroup memory. */
const LARGEST: StagedOrders = { left: "rows", right: "columns" };

/** Bytes for each invocation that kernels have in workgroup memory besides operands and sums. */
const BESIDES = 16;

/** The tiles of the preset that a device can run with some operations. */
function withTiles(gpu: Device, operations: MatrixOperations | null): DeviceMatrices {
  if (!operations) return { operations, tiles: [] };
  const tiles = convolutionPresets.of(gpu).matrices?.tiles ?? [];
  const runnable = tiles.filter((tile) => dividesEvenly(operations, tile)).filter((tile) => {
    const { invocations, bytes } = matrixBlock(operations, tile, LARGEST);
    return fits({ invocations, bytes: bytes + BESIDES * invocations }, gpu.device.limits);
  });
  return { operations, tiles: runnable };
}

/** The operations that kernels may use on a device, the best first. */
export function matrixOperations(gpu: Device): readonly MatrixOperations[] {
  const { emulated } = convolutionPresets.of(gpu).matrices ?? {};
  if (!gpu.hasHalves) return [];
  if (emulated) return [emulatedOperations({ vectors: emulated === "vectors" })];
  return gpu.matrixUnits ? unitOperations(gpu.matrixUnits) : [];
}

const matrices: PerDevice<DeviceMatrices> = new PerDevice((gpu) =>
  withTiles(gpu, matrixOperations(gpu).at(0) ?? null)
);

/** The matrix operations of a device, with the tiles of its preset that it can run. */
export function matricesOf(gpu: Device): DeviceMatrices {
  return matrices.of(gpu);
}

/** Says by which operations a device multiplies matrices; with `null`, kernels do without. */
export function useMatrices(gpu: Device, operations: MatrixOperations | null): void {
  matrices.set(gpu, withTiles(gpu, operations));
}

/** Whether a work may be done by matrix units: in mixed precision, where there are some. */
export function takesMatrices(gpu: Device, { precision }: Work): boolean {
  return precision === "mixed" && matricesOf(gpu).tiles.length > 0;
}

/** The parts of a kernel for a tile. Raises a `TypeError` on a device without matrix operations. */
export function blockOf(gpu: Device, tile: MatrixTile, orders: StagedOrders): MatrixBlock {
  const { operations } = matricesOf(gpu);
  if (!operations) {
    throw new TypeError(
      `Cannot use tile ${tile.name} on ${gpu.adapter}: wanted matrix units, found none`,
    );
  }
  return matrixBlock(operations, tile, orders);
}
