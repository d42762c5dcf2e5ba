// What has not been proven equal is not kept, on the command line's own way to the file.
import { assertEquals, assertMatch } from "@std/assert";
import { areEqual } from "../train/verify.ts";
import { withFolder } from "./folder.ts";
import { makeInputs, words } from "./made_inputs.ts";
import { BASES } from "./option_effects.ts";
import { lacks } from "./permissions.ts";
import { observe } from "./recorder.ts";

const ignore = lacks("read", "write", "env");

Deno.test(
  "train saves no network whose extracted twin gives other logits",
  { ignore },
  () =>
    withFolder(async (dir) => {
      // Each reading is of its own: so are the logits of the masked and of the extracted network. None
      // comes to the steps in a row that may be left out.
      let readings = 0;
      const line = words(BASES.train, { dir, made: "" });
      const { code, printed, places } = await observe(line, dir, () => ++readings / 1000);
      assertEquals(code, 6, printed);
      assertMatch(printed, /Cannot save the small network: .* nothing was saved/);
      const saved = [...places.keys()].filter((place) => /run\/[^/]*\.safetensors$/.test(place));
      assertEquals(saved, []);
    }),
);

Deno.test(
  "export writes no file that gives other logits than the network",
  { ignore },
  () =>
    withFolder(async (dir) => {
      await makeInputs(dir);
      const line = words("export {dir}/idx-run --output {dir}/net.onnx", { dir, made: dir });
      // The device says 2 of what is 1 in onnxruntime.
      const { code, printed, places } = await observe(line, dir, () => 2);
      assertEquals(code, 6, printed);
      assertMatch(printed, /Cannot export the small network: .* nothing was written/);
      assertEquals(places.has("file net.onnx"), false);
    }),
);

Deno.test("equal logits do not make up for other classes, nor classes for other logits", () => {
  const equal = { maxDifference: 0, maxError: 0, top1Agreement: 1, images: 100 };
  assertEquals(areEqual(equal), true);
  assertEquals(areEqual({ ...equal, top1Agreement: 0.99 }), false);
  assertEquals(areEqual({ ...equal, maxDifference: 1, maxError: 1 }), false);
  assertEquals(areEqual({ ...equal, maxError: NaN }), false);
});
