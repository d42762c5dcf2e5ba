import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { top1Of, withSeed } from "../bench/card/accuracy.ts";
import { BOUNDS, OURS, verdict } from "../bench/card/bounds.ts";
import { asked, takeResultsFolder } from "../bench/card.ts";
import { CARD, PARTS, partsOf, RESNET50, TASK_PARTS, timeFor, TRIAL } from "../bench/card/plan.ts";
import { attributedIn } from "../bench/card/profile.ts";
import { NOTHING, type Results } from "../bench/card/results.ts";
import type { Outcome } from "../bench/comparison.ts";
import { grantsOf } from "../bench/grants.ts";
import { DataError } from "../data/error.ts";
import { UsageError } from "../train/errors.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";
import { granted, taskOf } from "./tasks.ts";

const commandLine = { ignore: lacks("run", "read", "write", "env") };

Deno.test("a card is measured on the work that bounds speak of, a trial on little of each kind", () => {
  const names = CARD.tasks.steps.map(({ name }) => name);
  assertEquals(names, [
    "step of ResNet-50, 224x224, batch 64",
    "step of ResNet-18, 32x32, batch 256",
  ]);
  assertEquals(CARD.tasks.twins.map(({ name }) => name), names.map((n) => `${n}, with its twin`));
  const shapes = CARD.tasks.convolutions.map(({ name }) => name.replace(/, .*/, ""));
  assertEquals([...new Set(shapes)], [
    ...["3x3 128->128 @16", "3x3 256->256 @8", "3x3 512->512 @4", "3x3 64->64 @56"],
    ...["1x1 256->64 @56", "1x1 64->256 @56"],
  ]);
  assertEquals(shapes.length, 18);
  for (const part of TASK_PARTS) {
    const kinds = ({ tasks }: typeof CARD) => [...new Set(tasks[part].map(({ kind }) => kind))];
    assertEquals(kinds(TRIAL), kinds(CARD));
    for (const { batch, size } of TRIAL.tasks[part]) assert(batch * size ** 2 <= 1024);
  }
  assertEquals(TRIAL.seeds.length, 1);
});

Deno.test("bench card takes its own flags, and no others", () => {
  assertEquals(asked(["--trial", "--minutes=3", "--output", "a"]), {
    ...{ plan: TRIAL, parts: PARTS, minutes: 3, folder: "a" },
  });
  const { plan, minutes, folder } = asked([]);
  assertEquals([plan, minutes], [CARD, 10]);
  assertMatch(folder, /^runs\/card-20/);
  assertThrows(() => asked(["--trail"]), UsageError, "--parts and --trial, found --trail");
});

Deno.test(
  "bench card writes into no folder that has results, nor over a file",
  commandLine,
  () =>
    withFolder(async (dir) => {
      assertEquals(await takeResultsFolder(`${dir}/card`), await Deno.realPath(`${dir}/card`));
      await takeResultsFolder(`${dir}/card`);
      await Deno.writeTextFile(`${dir}/card/results.json`, "{}");
      const holds = "it holds results.json of an earlier one; choose another --output";
      await assertRejects(() => takeResultsFolder(`${dir}/card`), UsageError, holds);
      const file = `${dir}/card/results.json`;
      await assertRejects(() => takeResultsFolder(file), UsageError, "a file is in the place of");
    }),
);

Deno.test("the time of parts that are left out, or early, goes to those behind", () => {
  assertEquals(partsOf("profile,steps"), ["steps", "profile"]);
  assertThrows(() => partsOf("steps,all"), UsageError, "--parts is some of steps, convolutions,");
  assertEquals(timeFor(["profile"], 1000), 1000);
  const whole = PARTS.map((_, i) => timeFor(PARTS.slice(i), 1));
  assert(whole.every((part) => part > 0.1 && part <= 1), `${whole}`);
  // Each as long as it may, one after the other, take all of it.
  const used = whole.reduce((left, part) => left * (1 - part), 1);
  assert(Math.abs(used) < 1e-12);
});

/** Results in which all that bounds speak of takes so many milliseconds, GiB and points. */
function made(ms: number, memory: number, points: number): Results {
  const names = [OURS.float32, OURS.mixed, OURS.dawn];
  const outcomes = names.map((_, i): Outcome => ({ times: [ms], bytes: i ? memory : 1 }));
  const tasks = [...CARD.tasks.steps, ...CARD.tasks.convolutions];
  return {
    ...NOTHING,
    peers: names.map((name) => ({ name, version: "1", device: "a card" })),
    rows: tasks.map((task) => ({ task, outcomes })),
    accuracies: names.map((name, i) => {
      const top1 = 0.9 - (i ? points / 100 : 0);
      return { name, top1: { base: [0.9, 0.8], small: [top1 + 0.05, top1 - 0.05] } };
    }),
    profiles: [0.99, points < 1 ? 0.96 : 0.94].map((attributed) => ({
      ...{ name: "resnet50, a precision", file: "a file", attributed },
    })),
  };
}

Deno.test("each bound is reached, not reached or not measured", () => {
  const words = (results: Results): string[] =>
    BOUNDS.map((bound) => verdict(bound, results).split(":")[0]);
  const all = (word: string): string[] => BOUNDS.map(() => word);
  assertEquals(words(NOTHING), all("not measured"));
  // 3x3 of 128 channels and more are 19.3 GFLOP each, 0.08 ms of 241 TFLOP/s.
  assertEquals(words(made(0.08, 0.5, 0.25)), all("reached"));
  assertEquals(words(made(50, 0.7, 2)), all("not reached"));
  assertEquals(
    verdict(BOUNDS[0], made(30, 1, 1)),
    `not reached: ${RESNET50.name}, adjoin mixed on Dawn: 30 ms, wanted at most 28, better 19 ms`,
  );
  // What failed on one of several, or left a network as it was drawn, has not been measured.
  const good = made(0.08, 0.5, 0.25);
  const { rows, accuracies } = good;
  const broken: Results = {
    ...good,
    rows: rows.map((row) => ({ ...row, outcomes: row.outcomes.map(() => ({ note: "failed" })) })),
    accuracies: accuracies.map((accuracy) => ({ ...accuracy, note: "seed 2: no time left" })),
    profiles: [],
  };
  assertEquals(words(broken), all("not measured"));
});

Deno.test("accuracies and attributed time are read from what commands write", () => {
  const first = top1Of('{"base":0.5,"small":0.25}\n');
  assertThrows(() => top1Of("{}"), DataError, "wanted numbers by network, found {}");
  const two = withSeed(withSeed({ name: "", top1: {} }, first), { base: 1, small: 1 });
  assertEquals(two.top1, { base: [0.5, 1], small: [0.25, 1] });
  assertEquals(attributedIn("step 3 ms\nattributed 97.5 % of 70.12 ms, a step in which\n"), 0.975);
  assertEquals(attributedIn("step 3 ms"), undefined);
});

Deno.test("processes of a bench are started as tasks start them", commandLine, () => {
  for (const task of ["step", "train"] as const) {
    const words = task === "train" ? [task] : ["bench", task];
    // Their folder is another one.
    const root = fileURLToPath(new URL("../", import.meta.url));
    const grants = grantsOf(task).map((flag) => flag.replace(`${root}cli/`, "cli/"));
    assertEquals(grants.filter((flag) => flag.startsWith("--allow")), granted(words));
    assert(grantsOf(task).every((flag) => taskOf(words).line.includes(flag.split("=")[0])));
    assert(grantsOf(task).includes("--lock=packages.lock"));
  }
});

Deno.test("bench card keeps what it finds in a folder", commandLine, async () => {
  await withFolder(async (dir) => {
    await Deno.mkdir(`${dir}/python`);
    await Deno.writeTextFile(`${dir}/python/torch.py`, 'raise ImportError("left out")\n');
    const output = `${dir}/card`;
    const { line } = taskOf(["bench", "card"]);
    const script = line.split(" ").at(-1) ?? "";
    const words = ["--trial", "--parts", "convolutions", "--output", output];
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", ...granted(["bench", "card"]), script, ...words],
      cwd: new URL("../", import.meta.url),
      // PyTorch would take longer to load than all the rest.
      env: { PYTHONPATH: `${dir}/python` },
    }).output();
    const [out, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assertEquals(code, 0, error);
    assertMatch(out, /^not measured: step of ResNet-50, .*, wanted at most 28, better 19 ms$/m);
    const { peers, rows } = JSON.parse(await Deno.readTextFile(`${output}/results.json`));
    const own = peers.findIndex(({ name }: { name: string }) => name === OURS.mixed);
    assertEquals(rows.length, 3);
    assertEquals(peers[0], {
      ...{ name: "PyTorch float32", note: "ImportError: left out", marks: { kind: "usual" } },
    });
    for (const { outcomes } of rows) assert(outcomes[own].times[0] > 0);
    const report = await Deno.readTextFile(`${output}/report.md`);
    assertMatch(report, /^\| 3x3 8->8 @8, batch 2, weight gradient \|.*GFLOP\/s/m);
  });
});
