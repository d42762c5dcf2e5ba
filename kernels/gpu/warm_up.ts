import { CHANNEL_QUADS } from "./kernel.ts";
import type { Pipeline } from "./pipeline.ts";
import { textureOf } from "./texture.ts";
import { USAGE } from "./usage.ts";

/**
 * Runs kernels over no workgroups at all, which makes a driver compile them that otherwise waits
 * for the first run. It has compiled them when the device is idle again.
 */
export function warmUp(device: GPUDevice, pipelines: readonly Pipeline[]): void {
  const taken: (GPUBuffer | GPUTexture)[] = [];
  const buffer = (): GPUBuffer => {
    const usage = USAGE.STORAGE | USAGE.UNIFORM;
    const made = device.createBuffer({ label: "warm-up", size: CHANNEL_QUADS * 16, usage });
    taken.push(made);
    return made;
  };
  const view = (): GPUTextureView => {
    const made = device.createTexture(textureOf("warm-up", 1));
    taken.push(made);
    return made.createView();
  };
  // What is read may be the same for all, what is written may not.
  const read = buffer();
  const loaded = view();
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (const { pipeline, layout, assembled } of pipelines) {
    const entries = assembled.bindings.map(({ kind }, binding): GPUBindGroupEntry => {
      if (kind === "load") return { binding, resource: loaded };
      if (kind === "store") return { binding, resource: view() };
      return {
        binding,
        resource: { buffer: kind === "write" || kind === "queue" ? buffer() : read },
      };
    });
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
    pass.dispatchWorkgroups(0);
  }
  pass.end();
  device.queue.submit([encoder.finish()]);
  for (const memory of taken) memory.destroy();
}

/** Deals things out to `hands` hands, the heaviest first, each to the hand with the least. */
export function deal<T>(things: readonly T[], weight: (thing: T) => number, hands: number): T[][] {
  const dealt = Array.from({ length: hands }, () => ({ load: 0, things: [] as T[] }));
  for (const thing of [...things].sort((a, b) => weight(b) - weight(a))) {
    const least = dealt.reduce((a, b) => b.load < a.load ? b : a);
    least.things.push(thing);
    least.load += weight(thing);
  }
  return dealt.map(({ things }) => things);
}
