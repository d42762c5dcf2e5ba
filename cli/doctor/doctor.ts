import type { GpuFound } from "./gpu_found.ts";
import type { Finding } from "./finding.ts";
import { findings } from "./findings.ts";
import { kernelDriver, readMachine } from "./machine.ts";
import { passedOver } from "./passed_over.ts";
import { Dawn } from "../webgpu/dawn.ts";
import { findSurroundings } from "./surroundings.ts";

/** Seconds that a GPU may take for all of it; a driver that has hung takes longer. */
const PATIENCE = 90;

/** What the thread that looks at the GPU sends. */
type Message = { readonly found: GpuFound } | { readonly done: true };

/**
 * What a thread finds of the GPU by the end of `seconds`: `program` is that of the thread. What came
 * before a hang is kept.
 */
export function watchGpu(
  seconds: number = PATIENCE,
  program: URL = new URL("./gpu_worker.ts", import.meta.url),
): Promise<GpuFound> {
  const { promise, resolve } = Promise.withResolvers<GpuFound>();
  let found: GpuFound = {};
  const fail = (problem: string, hung = false): void => resolve({ ...found, problem, hung });
  const worker = new Worker(program, { type: "module" });
  worker.onmessage = ({ data }: MessageEvent<Message>) => {
    if ("done" in data) resolve(found);
    else found = data.found;
  };
  worker.onerror = (event) => {
    event.preventDefault();
    fail(event.message);
  };
  const late = setTimeout(
    () =>
      fail(
        `no answer within ${seconds} seconds; start the machine anew, or update the driver`,
        true,
      ),
    1000 * seconds,
  );
  return promise.finally(() => {
    clearTimeout(late);
    worker.terminate();
  });
}

/** As {@link watchGpu}, on Dawn where it is installed. */
async function watchDawn(): Promise<GpuFound | undefined> {
  const program = new URL("./gpu_worker.ts?webgpu=dawn", import.meta.url);
  return Dawn.isInstalled ? await watchGpu(PATIENCE, program) : undefined;
}

/** All that the doctor finds: `backend` is DENO_WEBGPU_BACKEND. */
export interface Diagnosis {
  readonly findings: readonly Finding[];
  readonly gpu: GpuFound;
  /** Nothing where Dawn is not installed. */
  readonly dawn?: GpuFound;
}

/** Looks at the GPU and at what is around it; never fails, and ends in time. */
export async function diagnose(
  { backend, gpu = watchGpu, dawn = watchDawn }: {
    readonly backend?: string;
    /** Looks at the GPU; tests have others. */
    readonly gpu?: () => Promise<GpuFound>;
    /** As `gpu`, on Dawn. */
    readonly dawn?: () => Promise<GpuFound | undefined>;
  } = {},
): Promise<Diagnosis> {
  const machine = readMachine(backend);
  const [found, surroundings] = await Promise.all([gpu(), findSurroundings()]);
  // One after the other, as both measure how fast they are.
  const onDawn = await dawn();
  const name = found.adapter?.name;
  const examined = {
    gpu: found,
    dawn: onDawn,
    passedOver: passedOver(machine, name),
    ...{ surroundings, backend, os: machine.os },
    driver: kernelDriver(),
  };
  return { findings: findings(examined), gpu: found, dawn: onDawn };
}
