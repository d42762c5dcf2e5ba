// Each option of each command, set to another value than its default, changes what is traced, sent
// to the device, written or printed: on the user's own way, from the command line on.
import { assert, assertEquals } from "@std/assert";
import { cp } from "node:fs/promises";
import { type Command, COMMANDS } from "../cli/flags/commands.ts";
import { flagOf, optionsOf } from "../cli/flags/table.ts";
import { encodeSafetensors, parseSafetensors } from "../data/safetensors.ts";
import { BASES, type Effect, EFFECTS } from "./option_effects.ts";
import { lacks } from "./permissions.ts";
import { type Observation, observe } from "./recorder.ts";

const ignore = lacks("read", "write", "env");

/** What runs read: two trained networks, widths, and images in files. */
let made = "";

/** An IDX file of unsigned bytes. */
function idx(shape: readonly number[], valueAt: (i: number) => number): Uint8Array {
  const head = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  head.setUint32(0, 0x800 + shape.length);
  shape.forEach((d, k) => head.setUint32(4 + 4 * k, d));
  const values = Uint8Array.from(
    { length: shape.reduce((n, d) => n * d, 1) },
    (_, i) => valueAt(i),
  );
  return Uint8Array.of(...new Uint8Array(head.buffer), ...values);
}

/** A folder of grey images of 12 pixels a side, none of which is like another. */
function writeImages(folder: string, step: number): void {
  Deno.mkdirSync(folder);
  for (const [half, count] of [["train", 16], ["t10k", 8]] as const) {
    const pixel = (i: number): number => (i * step + (i >> 5) * 13) % 251;
    Deno.writeFileSync(`${folder}/${half}-images-idx3-ubyte`, idx([count, 12, 12], pixel));
    Deno.writeFileSync(`${folder}/${half}-labels-idx1-ubyte`, idx([count], (i) => i % 4));
  }
}

/**
 * Trains on the recorder, and then sets all weights to a value: the device reads 1 for all logits,
 * and so has the network.
 */
async function writeRun(folder: string, line: string, value: number): Promise<void> {
  const { code, printed } = await observe(words(`${line} --output ${folder}`, folder), folder);
  assertEquals(code, 0, printed);
  for (const name of ["base", "small"]) {
    const path = `${folder}/${name}.safetensors`;
    const { tensors, metadata } = parseSafetensors(Deno.readFileSync(path));
    const state = new Map([...tensors].map(([name, { shape, data }]) => {
      const fill = name === "fc.weight" ? 0 : name === "fc.bias" ? 1 : value;
      return [name, { shape, data: new Float32Array(data.length).fill(fill) }];
    }));
    Deno.writeFileSync(path, encodeSafetensors(state, metadata));
  }
}

Deno.test.beforeAll(async () => {
  if (ignore) return;
  made = await Deno.makeTempDir();
  writeImages(`${made}/idx`, 7);
  writeImages(`${made}/other-idx`, 11);
  for (const name of ["a", "b", "idx-run"]) Deno.mkdirSync(`${made}/${name}`);
  await writeRun(`${made}/a`, BASES.train, 0.5);
  await writeRun(`${made}/b`, BASES.train, 0.25);
  await writeRun(`${made}/idx-run`, `${BASES.train} --dataset idx --data-dir {made}/idx`, 0.5);
  Deno.writeTextFileSync(`${made}/widths.json`, '{"layer2.0.conv1": 12}');
});

Deno.test.afterAll(async () => {
  if (!ignore) await Deno.remove(made, { recursive: true });
});

function words(line: string, dir: string): string[] {
  return line.replaceAll("{dir}", dir).replaceAll("{made}", made).split(" ");
}

/** Does what a line says, in a folder with a run, a network and a folder that is taken. */
async function done(line: string): Promise<Observation> {
  const dir = await Deno.makeTempDir();
  try {
    await cp(`${made}/idx-run`, `${dir}/idx-run`, { recursive: true });
    await Deno.copyFile(`${made}/idx-run/small.safetensors`, `${dir}/loose.safetensors`);
    await Deno.mkdir(`${dir}/taken`);
    await Deno.writeTextFile(`${dir}/taken/note.onnx`, "mine");
    return await observe(words(line, dir), dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const seen = new Map<string, Promise<Observation>>();

/** As {@link done}, once for each line. */
function doneOnce(line: string): Promise<Observation> {
  let found = seen.get(line);
  if (!found) seen.set(line, found = done(line));
  return found;
}

function at({ printed, places }: Observation, place: string): string | undefined {
  return place === "printed" ? printed : places.get(place);
}

/** Places that are the same with and without an option, which it has to change. */
async function unchanged(effect: Effect, command: Command): Promise<string[]> {
  const { base = BASES[command], beside, without } = effect;
  const line = [base, ...beside ? [beside] : []].join(" ");
  const before = await doneOnce(line);
  const after = await done(`${without ? line.replace(` ${without}`, "") : line} ${effect.with}`);
  return effect.changes.filter((place) => at(before, place) === at(after, place));
}

for (const effect of EFFECTS) {
  for (const command of effect.commands) {
    const { option, of, changes } = effect;
    const what = of ? ` (${of})` : "";
    Deno.test(
      `${command} --${option}${what} changes ${changes.join(", ")}`,
      { ignore },
      async () => assertEquals(await unchanged(effect, command), []),
    );
  }
}

const NAMES = Object.keys(COMMANDS) as Command[];

for (const command of NAMES) {
  Deno.test(`${command} --help changes printed`, { ignore }, async () => {
    const { code, printed } = await done(`${BASES[command]} --help`);
    assertEquals(code, 0);
    assert(printed.includes(`--help`) && printed.includes("exit codes"), printed);
  });
}

Deno.test("each option of each command has an effect here, and each effect an option", () => {
  const options = NAMES.flatMap((command) =>
    optionsOf(command).map(({ name }) => `${command} ${flagOf(name)}`)
  ).filter((option) => !option.endsWith(" --help"));
  const effects = EFFECTS.flatMap(({ commands, option }) =>
    commands.map((command) => `${command} --${option}`)
  );
  assertEquals([...new Set(effects)].sort(), [...new Set(options)].sort());
});

Deno.test("the same command line does the same twice", { ignore }, async () => {
  for (const command of ["train", "search", "bench step"] as const) {
    const [first, second] = [await done(BASES[command]), await done(BASES[command])];
    assertEquals(first.printed, second.printed);
    for (const [place, digest] of first.places) {
      // It names the folder, which is another each time.
      if (place !== "file run/config.json") assertEquals(second.places.get(place), digest, place);
    }
  }
});
