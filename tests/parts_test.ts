import { assertEquals, assertRejects } from "@std/assert";
import { GpuError, OutOfMemoryError } from "../kernels/gpu.ts";
import { errorMessage } from "../cli/error_message.ts";
import { fitted } from "../train/parts.ts";

const full = (): OutOfMemoryError =>
  new OutOfMemoryError({ what: "relu", asked: 4096, live: 1024 }, "and the GPU gives no more");

/** A GPU with room for so many images. */
function room(
  images: number,
  { batchSize, parts: asked }: { batchSize: number; parts: number | "auto" },
) {
  const auto = asked === "auto";
  const parts = auto ? 1 : asked;
  const tried: number[] = [];
  const notes: string[] = [];
  const demand = (parts: number): Promise<void> =>
    batchSize / parts > images ? Promise.reject(full()) : Promise.resolve();
  const trial = (parts: number): Promise<void> => {
    tried.push(parts);
    return demand(parts);
  };
  const found = fitted(
    { batchSize, parts, auto, trial, note: (text) => notes.push(text) },
    async (parts) => {
      await demand(parts);
      return parts;
    },
  );
  return { tried, notes, found };
}

Deno.test("a batch that fits is taken whole, and nothing is tried", async () => {
  const { tried, notes, found } = room(16, { batchSize: 16, parts: "auto" });
  assertEquals([await found, tried, notes], [1, [], []]);
});

Deno.test("auto takes the fewest parts that fit, all of one size, and says so", async () => {
  const { tried, notes, found } = room(5, { batchSize: 30, parts: "auto" });
  assertEquals([await found, tried], [6, [2, 3, 5, 6]]);
  assertEquals(notes, [
    "a batch of 30 images does not fit into the GPU's memory: it is computed in 6 parts of 5, " +
    "whose gradients are averaged",
  ]);
});

Deno.test("a batch that does not fit is told with the batch and the parts that would", async () => {
  const error = await assertRejects(
    () => room(5, { batchSize: 30, parts: 1 }).found,
    OutOfMemoryError,
  );
  assertEquals(
    errorMessage(error, ["train"]),
    "Cannot allocate relu: it takes 4096 bytes, and the GPU gives no more; lower --batch-size to 5 " +
      "or take --grad-accum-steps 6",
  );
  assertEquals([error.what, error.asked, error.live], ["relu", 4096, 1024]);
  // With parts of 10 images, a batch of 15 has parts of 5.
  const parts = await assertRejects(() => room(5, { batchSize: 30, parts: 3 }).found, GpuError);
  assertEquals(
    errorMessage(parts, ["train"]).split("; ")[1],
    "lower --batch-size to 15 or take --grad-accum-steps 6",
  );
});

Deno.test("where not even one image fits, images or the model are to be smaller", async () => {
  for (const parts of ["auto", 1, 4] as const) {
    const { found, notes } = room(0, { batchSize: 4, parts });
    const error = await assertRejects(() => found, OutOfMemoryError);
    assertEquals(
      errorMessage(error, ["train"]).split("; ")[1],
      "lower --image-size or take a smaller --model",
    );
    assertEquals(notes, []);
  }
});

Deno.test("a run that runs out of memory again takes still more parts", async () => {
  const runs: number[] = [];
  const found = await fitted(
    { batchSize: 8, parts: 1, auto: true, trial: () => Promise.resolve(), note() {} },
    (parts) => {
      runs.push(parts);
      return parts < 8 ? Promise.reject(full()) : Promise.resolve("done");
    },
  );
  assertEquals([found, runs], ["done", [1, 2, 4, 8]]);
});

Deno.test("errors other than memory end a trial", async () => {
  const refused = new GpuError("The GPU refused its work");
  const trial = () => Promise.reject(refused);
  const run = () => Promise.reject(full());
  const fitting = { batchSize: 8, parts: 1, auto: true, trial, note() {} };
  assertEquals(await assertRejects(() => fitted(fitting, run)), refused);
});
