import { lacks } from "./permissions.ts";
import { soak } from "./torture/soak.ts";

// The hour of it is in `deno task torture`; other tests may run in this process meanwhile.
Deno.test(
  "a run on pictures that is stopped and goes on leaves nothing on the GPU",
  { ignore: lacks("read", "write", "env", "ffi") },
  () => soak(0, () => {}, { rounds: 2, pictures: { train: 8, val: 4 }, growth: Infinity }),
);
