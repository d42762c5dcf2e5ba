import { plural } from "../../data/words.ts";
import { DAWN } from "../webgpu/dawn.ts";
import type { Finding } from "./finding.ts";
import type { GpuFound } from "./gpu_found.ts";
import { holds } from "./self_test.ts";

/** Dawn, Chromium's WebGPU, beside Deno's own: it is not needed, and so is no problem by itself. */
export function dawnFindings(dawn?: GpuFound): Finding[] {
  const section = "Dawn";
  if (!dawn) {
    const found = `not installed: sh setup.sh --dawn installs it, --webgpu dawn trains on it`;
    return [{ section, name: "package", state: "note", found }];
  }
  const { adapter, tested, speed, problem } = dawn;
  const found: Finding[] = [{ section, name: "package", state: "ok", found: DAWN }];
  if (adapter) {
    found.push({ section, name: "adapter", state: "ok", found: adapter.name });
    found.push({
      ...{ section, name: "matrix units" },
      ...adapter.matrices?.length
        ? { state: "ok", found: adapter.matrices.join(", ") }
        : { state: "note", found: "none" },
    });
  }
  const wrong = tested?.filter((test) => !holds(test)) ?? [];
  if (tested) {
    found.push({
      ...{ section, name: "self-test" },
      ...wrong.length
        ? {
          state: "warning",
          found: `wrong results of ${plural(wrong.length, "kernel")}: ` +
            wrong.map(({ name }) => name).join("; "),
          cure: "train without --webgpu dawn, and report this",
        }
        : { state: "ok", found: `${plural(tested.length, "kernel")} equal float64` },
    });
  }
  if (speed) {
    const digits = (value: number): number => Number(value.toPrecision(3));
    found.push({
      ...{ section, name: "speed", state: "ok" },
      found: `${digits(speed.gflops)} GFLOP/s in a convolution, ` +
        `${digits(speed.gigabytes)} GB/s of memory`,
    });
  }
  if (problem !== undefined) {
    const [what] = problem.split("; ");
    found.push({
      ...{ section, name: "failed", state: "warning", found: what },
      cure: "train without --webgpu dawn, or update the driver",
    });
  }
  return found;
}
