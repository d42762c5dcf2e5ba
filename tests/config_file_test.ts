// The file of --config: what config.json of a run holds is taken back as it is, and all else refused.
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { compareRequest, type RunRequest, searchRequest, trainRequest } from "../cli/options.ts";
import { readRequest } from "../cli/resuming.ts";
import { DataError } from "../data/error.ts";
import { UsageError } from "../train/errors.ts";
import { adjoinCommand } from "./command.ts";
import { withFolder } from "./folder.ts";
import { lacks } from "./permissions.ts";

const ignore = lacks("read", "write", "env");

function request(line: string, file?: string): Promise<RunRequest> {
  const [command, ...words] = line.split(" ");
  const args = file === undefined ? words : [...words, "--config", file];
  if (command === "train") return readRequest(command, args, trainRequest);
  if (command === "search") return readRequest(command, args, searchRequest);
  return readRequest("compare", args, compareRequest);
}

/** Writes a file of options, and asks for a run with it. */
async function asked(dir: string, line: string, config: unknown): Promise<RunRequest> {
  const file = `${dir}/config.json`;
  await Deno.writeTextFile(file, typeof config === "string" ? config : JSON.stringify(config));
  return await request(line, file);
}

/** Command lines that set options of every kind, and those that follow from others. */
const LINES = [
  "train",
  "train --mode plain --which small --opt sgd --nesterov --momentum 0.8 --seed 7",
  "train --mode distill --teacher runs/a --kl-temperature 2",
  "train --compression 2,4 --sandwich 1 --kl-weight 0.5 --finetune-epochs 2",
  "train --init a --importance l1 --bn-batches 3 --aa rand-m9-n2 --scale 0.5,1 --augment resized-crop",
  "train --dataset cifar100 --data-dir d --recipe cifar100 --model resnet50 --variant torchvision",
  "train --dataset idx --data-dir d --val-split 0.1 --keep 2 --select best --grad-accum-steps auto",
  "search --budget-params 0.25,0.5 --divisors 1,2 --temperature 3 --widths-only",
  "search --budget-latency 0.5 --from-scratch --trunk separate",
  "compare --budget-macs 0.5 --seeds 2 --methods alone,distilled --kl-loss dist",
];

Deno.test("--config takes what config.json of a run holds", { ignore }, async () => {
  await withFolder(async (dir) => {
    for (const line of LINES) {
      const first = await request(line);
      const [command] = line.split(" ");
      const again = await asked(dir, command, first.config);
      assertEquals(again.config, first.config, line);
      assertEquals(again.options, first.options, line);
      // Its folder is taken as a default name is: with -2 beside it.
      assertEquals(again.named, false, line);
    }
  });
});

Deno.test("widths that config.json holds are those of the run", { ignore }, async () => {
  await withFolder(async (dir) => {
    const widths = { "layer2.0.conv1": 8, "layer3.0.conv1": 16 };
    const file = `${dir}/widths.json`;
    await Deno.writeTextFile(
      file,
      JSON.stringify({ model: "resnet8", stem: "cifar", maskFrom: 1, trunk: "shared", widths }),
    );
    const line = `train --widths ${file}`;
    const first = await request(line);
    const again = await asked(dir, "train", first.config);
    assertEquals(again.options, first.options);
    assertEquals(again.options.widths, widths);
    // A file may name such a file as well.
    const { options } = await asked(dir, "train", { widths: file });
    assertEquals([options.widths, options.stem], [widths, "cifar"]);
  });
});

Deno.test("flags win over the file, and defaults follow what it says", { ignore }, async () => {
  await withFolder(async (dir) => {
    const file = { opt: "sgd", epochs: 3, output: "mine", lr: null };
    const { options, named } = await asked(dir, "train --epochs 4", file);
    const { opt, epochs, lr, output } = options;
    assertEquals({ opt, epochs, lr, output, named }, {
      ...{ opt: "sgd", epochs: 4, lr: 0.1, output: "mine" },
      named: false,
    });
    assertEquals((await asked(dir, "train --output a --no-detach", { detach: true })).named, true);
    assertEquals((await asked(dir, "train --no-detach", { detach: true })).options.detach, false);
    // What flags make idle is not the file's fault.
    await asked(dir, "train --mode plain", { klWeight: 0.5 });
    // A folder alone is understood as on the command line.
    const { options: { dataset } } = await asked(dir, "train", { dataDir: dir });
    assertEquals(dataset, "folder");
  });
});

Deno.test("what a file may not say is refused in a sentence, by name", { ignore }, async () => {
  await withFolder(async (dir) => {
    const cases: [unknown, string][] = [
      [{ batchsize: 8 }, "batchsize is no option of train; did you mean batchSize?"],
      [{ "batch-size": 8 }, "batch-size is no option of train; did you mean batchSize?"],
      [{ budgetMacs: 0.5 }, "budgetMacs is an option of search and compare, not of train"],
      [{ resume: "a" }, "resume is for the command line alone"],
      [{ config: "a" }, "config is for the command line alone"],
      [{ command: "search" }, 'they are those of "search", found them for train'],
      [{ batchSize: "8" }, 'batchSize is a whole number at least 1, found "8"'],
      [{ batchSize: 0 }, "batchSize is a whole number at least 1, found 0"],
      [{ batchSize: [8] }, "batchSize is a whole number at least 1, found [8]"],
      [{ lr: true }, "lr is a number above 0, found true"],
      [{ detach: "yes" }, 'detach is true or false, found "yes"'],
      [{ opt: "sdg" }, "opt is sgd or adamw, found sdg"],
      [
        { mode: "adjoint" },
        "mode is adjoined, plain or distill, found adjoint; did you mean adjoined?",
      ],
      [{ opt: 1 }, "opt is sgd or adamw, found 1"],
      [{ output: 1 }, "output is a text, found 1"],
      [{ output: "" }, "output needs a value"],
      [
        { scale: 1 },
        "scale is 2 ascending numbers above 0 and at most 1 with commas between, found 1",
      ],
      [{ widths: { a: "b" } }, 'widths is a text, found {"a":"b"}'],
      [
        { mode: "plain", klWeight: 0.5 },
        "--kl-weight goes with --mode adjoined or distill, found plain",
      ],
      [[], "wanted an object as in config.json of a run, found []"],
    ];
    for (const [config, text] of cases) {
      const { message } = await assertRejects(() => asked(dir, "train", config), UsageError);
      assertEquals(message, `Cannot use the options in ${dir}/config.json: ${text}`);
    }
    const none = await assertRejects(() => request("train", `${dir}/none.json`), DataError);
    assertStringIncludes(none.message, `found no file ${dir}/none.json`);
    const twice = await assertRejects(() => asked(dir, "train", '{"lr":1,"lr":2}'), DataError);
    assertStringIncludes(twice.message, "wanted JSON as in config.json of a run, found");
  });
});

Deno.test(
  "--config with config.json of a run is that run, bit by bit",
  { ignore: ignore || lacks("run") },
  async () => {
    await withFolder(async (dir) => {
      const line = "train --train-size 16 --val-size 8 --batch-size 8 --image-size 12 --epochs 1 " +
        "--seed 3 --kl-weight 0.5 --hflip 0.5 --augment resized-crop --quiet --output";
      const first = await adjoinCommand([...line.split(" "), `${dir}/a`]);
      assertEquals(first.code, 0, first.error);
      const again = await adjoinCommand(["train", "--config", `${dir}/a/config.json`, "--json"]);
      assertEquals(again.code, 0, again.error);
      // With --json, the result is all that stdout has.
      const { folder, small: { top1 } } = JSON.parse(again.out);
      const saved = JSON.parse(await Deno.readTextFile(`${dir}/a-2/summary.json`));
      assertEquals([folder, top1], [`${dir}/a-2`, saved.small.top1]);
      const files = await Promise.all(
        ["a", "a-2"].flatMap((run) =>
          ["base", "small"].map((which) => Deno.readFile(`${dir}/${run}/${which}.safetensors`))
        ),
      );
      const [base, small, base2, small2] = files.map((bytes) => bytes.join());
      assertEquals([base === base2, small === small2], [true, true]);
    });
  },
);
