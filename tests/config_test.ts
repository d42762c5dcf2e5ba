import { assertEquals } from "@std/assert";
import type { Option, Value } from "../train/options/option.ts";
import { readArguments } from "../cli/arguments.ts";
import { flagOf, optionsOf } from "../cli/flags/table.ts";
import type { Command } from "../cli/flags/commands.ts";
import { APART, compareRequest, searchRequest, trainRequest } from "../cli/options.ts";
import { runConfig } from "../cli/run/run_config.ts";

type Training = "train" | "search" | "compare";

/** What config.json holds after a command line. */
function configOf(command: Training, line: readonly string[]): Record<string, unknown> {
  const { config } = {
    train: () => trainRequest(readArguments("train", line)),
    search: () => searchRequest(readArguments("search", line)),
    compare: () => compareRequest(readArguments("compare", line)),
  }[command]();
  return JSON.parse(runConfig(config, { output: String(config.output) }));
}

/** What a command needs besides. */
const NEEDED: Readonly<Record<Training, readonly string[]>> = {
  train: [],
  search: ["--budget-macs", "0.5"],
  compare: ["--budget-macs", "0.5"],
};

/** Texts of options that take no other than those of a form. */
const TEXTS: Readonly<Record<string, string>> = { aa: "rand-m9-n2", gradAccumSteps: "4" };

/** A value that is not the default, and its text. */
function other(option: Option, usual: unknown): [Value, string] {
  switch (option.kind) {
    case "boolean":
      return [true, ""];
    case "string":
      return [TEXTS[option.name] ?? "/tmp/other", TEXTS[option.name] ?? "/tmp/other"];
    case "choice": {
      const choice = option.choices.find((choice) => choice !== usual) ?? "";
      return [choice, choice];
    }
    case "choices":
      return [option.choices.slice(0, 2), option.choices.slice(0, 2).join(",")];
    case "numbers":
      return option.max === 1 ? [[0.25, 0.5], "0.25,0.5"] : [[1, 3], "1,3"];
    case "integer":
      if (option.among) return [option.among[0], String(option.among[0])];
      return [Number(usual ?? 1) + 1, String(Number(usual ?? 1) + 1)];
    case "number": {
      const number = option.max === 1 || option.below === 1 ? 0.25 : 1.5;
      return [number, String(number)];
    }
  }
}

/** Flags with which an option of a command has a meaning. */
function beside(command: Command, { name, only = {}, needs }: Option): string[] {
  const choices = Object.entries(only)
    .filter(([key]) => optionsOf(command).some(({ name }) => name === key))
    .flatMap(([key, [choice]]) => [flagOf(key), choice]);
  return [
    ...choices,
    ...needs === undefined ? [] : [flagOf(needs[0]), needs[0].endsWith("Epochs") ? "2" : "0.5"],
    // They order and measure what is given.
    ...["importance", "bnBatches"].includes(name) ? ["--init", "a"] : [],
    ...name === "sandwich" ? ["--compression", "2,4,8"] : [],
    ...name === "teacher" || !choices.includes("distill") ? [] : ["--teacher", "a"],
  ];
}

for (const command of ["train", "search", "compare"] as const) {
  const needed = NEEDED[command];
  const options = optionsOf(command).filter(({ name }) => !APART.includes(name));

  Deno.test(`config.json of ${command} holds every option and nothing else`, () => {
    const config = configOf(command, needed);
    const names = ["command", ...options.map(({ name }) => name)];
    assertEquals(Object.keys(config).toSorted(), names.toSorted());
    assertEquals(config.command, command);
  });

  Deno.test(`config.json of ${command} holds each option as it was given`, () => {
    const usual = configOf(command, needed);
    for (const option of options) {
      // Its file is read, and config.json holds the widths in it.
      if (option.name === "widths") continue;
      const context = beside(command, option);
      const [value, text] = other(option, usual[option.name]);
      const flag = text ? [flagOf(option.name), text] : [flagOf(option.name)];
      const line = option.name.startsWith("budget")
        ? flag
        : [...needed, ...context, ...flag, ...value === "distill" ? ["--teacher", "a"] : []];
      assertEquals(configOf(command, line)[option.name], value, line.join(" "));
    }
  });
}

Deno.test("config.json holds the widths of a file, and what the file says of the network", () => {
  const widths = { "layer2.0.conv1": 8 };
  const parsed = readArguments("train", ["--widths", "a", "--mask-from", "1"]);
  const file = { widths, model: "resnet20", variant: "torchvision", maskFrom: 2 } as const;
  const { config } = trainRequest(parsed, file);
  assertEquals(config.widths, widths);
  assertEquals([config.model, config.variant, config.maskFrom], ["resnet20", "torchvision", 1]);
  assertEquals([config.stem, config.compression], [null, 1]);
});
