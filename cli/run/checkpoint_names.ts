// The names of checkpoints in the folder of a run.
import { basename, dirname } from "node:path";
import { printable } from "../../data/printable.ts";
import type { Position } from "../../train/resume/training_state.ts";
import { beforeExported } from "./exported_names.ts";
import { isWhich, type Which } from "../../nn/which.ts";

/** The folder of a run that has its checkpoints. */
export const CHECKPOINTS = "checkpoints";

/** The checkpoint that a run goes on from. */
export const LAST = "last.safetensors";

/** The checkpoint in which a network was best. */
export function bestName(which: Which): string {
  return `best-${which}.safetensors`;
}

function digits(count: number, least: number): string {
  return String(count).padStart(least, "0");
}

/** The name of a checkpoint that is kept besides: `epoch-0003` is after three whole epochs. */
export function keptName({ phase, position: { epoch, step } }: {
  readonly phase: string;
  readonly position: Position;
}): string {
  const of = phase === "train" ? "" : `${phase}-`;
  const within = step === 0 ? "" : `-step-${digits(step, 6)}`;
  return `${of}epoch-${digits(epoch, 4)}${within}.safetensors`;
}

/** Whether a file of `--keep` has this name. */
export function isKeptName(name: string): boolean {
  return /^([a-z][a-z0-9-]*-)?epoch-\d{4,}(-step-\d{6,})?\.safetensors$/.test(name);
}

/** Whether a name in the folder of checkpoints is one of a run. */
export function isCheckpointName(name: string): boolean {
  const [, best] = name.match(/^best-(.*)\.safetensors$/) ?? [];
  return name === LAST || isWhich(best) || isKeptName(name);
}

/** Whether a name there is that of what `export` takes out of a checkpoint: `last.small.onnx`. */
export function isExportedName(name: string): boolean {
  return beforeExported(name).some((before) => isCheckpointName(`${before}.safetensors`));
}

/** The folder of the run that a path of a checkpoint belongs to; nothing for files elsewhere. */
export function runOfCheckpoint(file: string): string | undefined {
  const folder = dirname(file);
  return basename(folder) === CHECKPOINTS ? dirname(folder) : undefined;
}

/** Where a checkpoint is in the course of its run, in words. */
export function positionWords({ phase, position: { epoch, step } }: {
  readonly phase: string;
  readonly position: Position;
}): string {
  const of = phase === "train"
    ? ""
    : phase === "search"
    ? " of the search"
    : ` of ${printable(phase)}`;
  if (step > 0) return `epoch ${epoch + 1}${of}, step ${step}`;
  return epoch === 0 ? `the start${of}` : `the end of epoch ${epoch}${of}`;
}
