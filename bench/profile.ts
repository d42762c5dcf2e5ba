import { columns, grouped } from "../cli/text.ts";
import type { Cost } from "../kernels/program/cost.ts";
import type { Profile, Timing } from "../kernels/program/profile.ts";
import type { Roofs } from "./roofs.ts";

/** What keeps a kernel from being faster. */
export type Limit = "compute" | "memory" | "latency";

/** The runs of one kernel on one work in a step. */
export interface KernelTime {
  /** The kernel; `copy`, `clear` or `texture copy` of memory. */
  readonly kernel: string;
  /** The convolution that it is a part of. */
  readonly work?: string;
  /** How often it runs in a step. */
  readonly runs: number;
  /** All runs together. */
  readonly ms: number;
  /** Part of the step's time. */
  readonly share: number;
  /** 1e9 floating-point operations a second. */
  readonly gflops: number;
  /** 1e9 bytes a second, read and written. */
  readonly gigabytes: number;
  /** Part of the nearer roof that it reaches. */
  readonly ofRoof: number;
  /** The nearer roof, or latency where both are far. */
  readonly limit: Limit;
}

/** Where the time of a step goes. */
export interface StepProfile {
  /** By whose clock; see `Profile`. */
  readonly clock: Profile["clock"];
  /** A step under the profile. */
  readonly ms: number;
  /** One without, by the same clock and in turn. */
  readonly untimedMs: number;
  /** All kernels and transfers of memory together. */
  readonly attributedMs: number;
  /** Their part of `ms`. */
  readonly attributed: number;
  /** What the adapter reaches at most. */
  readonly roofs: Roofs;
  /** By kernel and work, the longest first. */
  readonly kernels: readonly KernelTime[];
}

/** Below this part of both roofs, neither of them is what limits a kernel. */
const NEAR = 0.1;

/** What limits a kernel that takes so many milliseconds: the roof that it is nearer to. */
export function limitOf(
  { flops, bytes, matrixUnits }: Cost,
  ms: number,
  { gflops, gigabytes, matrixGflops = gflops }: Roofs,
): Pick<KernelTime, "gflops" | "gigabytes" | "ofRoof" | "limit"> {
  // 1e6 a millisecond are 1e9 a second; what takes no time that can be measured has no speed.
  const speed = (work: number): number => ms > 0 ? work / ms / 1e6 : 0;
  const computing = speed(flops) / (matrixUnits ? matrixGflops : gflops);
  const moving = speed(bytes) / gigabytes;
  const ofRoof = Math.max(computing, moving);
  const nearer = computing > moving ? "compute" : "memory";
  return {
    gflops: speed(flops),
    gigabytes: speed(bytes),
    ofRoof,
    limit: ofRoof < NEAR ? "latency" : nearer,
  };
}

/** The part that some time is of all; nothing of nothing. */
function partOf(ms: number, all: number): number {
  return all > 0 ? ms / all : 0;
}

/** What a kernel and its work are called together. */
function titleOf({ name, work }: Pick<Timing, "name" | "work">): string {
  return JSON.stringify([name, work]);
}

function sumOf<T>(list: readonly T[], of: (item: T) => number): number {
  return list.reduce((sum, item) => sum + of(item), 0);
}

/** Adds up a profile by kernel and work. */
export function stepProfile(
  { clock, milliseconds, untimed, runs }: Profile,
  roofs: Roofs,
): StepProfile {
  const groups = [...Map.groupBy(runs, titleOf).values()];
  const kernels = groups.map((found): KernelTime => {
    const [{ name, work }] = found;
    const ms = sumOf(found, (run) => run.milliseconds);
    const cost = {
      flops: sumOf(found, ({ cost }) => cost.flops),
      bytes: sumOf(found, ({ cost }) => cost.bytes),
      matrixUnits: found.some(({ cost }) => cost.matrixUnits),
    };
    return {
      kernel: name,
      ...work !== undefined && { work },
      runs: found.length,
      ms,
      share: partOf(ms, milliseconds),
      ...limitOf(cost, ms, roofs),
    };
  }).sort((a, b) => b.ms - a.ms);
  const attributedMs = sumOf(kernels, ({ ms }) => ms);
  return {
    clock,
    ms: milliseconds,
    untimedMs: untimed,
    attributedMs,
    attributed: partOf(attributedMs, milliseconds),
    roofs,
    kernels,
  };
}

/** Kernels that together take less than this part of a step are one line of the table. */
const REST = 0.05;

const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
const speed = (value: number): string =>
  value < 9.95 ? value.toFixed(value < 0.995 ? 2 : 1) : grouped(Math.round(value));

/** A kernel and what it works on; what both say of the direction is said once. */
function rowName({ kernel, work = "" }: KernelTime): string {
  const [, direction = "", shapes = ""] = /^(.*?) (\d.*)$/.exec(work) ?? [];
  return [kernel, kernel.includes(direction) ? shapes : work].filter(Boolean).join(": ");
}

/** The lines of a profile, what is attributed last. */
export function profileLines(
  { clock, ms, untimedMs, attributed, roofs, kernels }: StepProfile,
): string[] {
  let left = sumOf(kernels, (kernel) => kernel.ms);
  const shown = kernels.filter((kernel) => {
    const isShown = left > REST * ms;
    left -= kernel.ms;
    return isShown;
  });
  const rest = kernels.slice(shown.length);
  const rows = shown.map((kernel) => [
    rowName(kernel),
    String(kernel.runs),
    kernel.ms.toFixed(3),
    percent(kernel.share),
    speed(kernel.gflops),
    speed(kernel.gigabytes),
    percent(kernel.ofRoof),
    kernel.limit,
  ]);
  const others = [
    `${rest.length} others`,
    String(sumOf(rest, ({ runs }) => runs)),
    sumOf(rest, (kernel) => kernel.ms).toFixed(3),
    percent(sumOf(rest, ({ share }) => share)),
  ];
  const heads = ["kernel", "runs", "ms", "of step", "GFLOP/s", "GB/s", "of roof", "limit"];
  return [
    "",
    ...columns([heads, ...rows, ...rest.length ? [others] : []], [0, 7]),
    "",
    `roofs: ${
      [
        `${speed(roofs.gflops)} GFLOP/s`,
        ...roofs.matrixGflops ? [`${speed(roofs.matrixGflops)} GFLOP/s of matrix units`] : [],
        `${speed(roofs.gigabytes)} GB/s`,
      ].join(", ")
    }`,
    `attributed ${percent(attributed)} of ${ms.toFixed(2)} ms, a step in which ` +
    (clock === "device"
      ? `each kernel waits for the last; in turn with it, one without takes ${
        untimedMs.toFixed(2)
      } ms`
      : `nothing is timed: the device has no clock, and each kernel was timed by itself`),
  ];
}
