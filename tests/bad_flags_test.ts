// Every flag of every command with values that it does not take: one sentence, and exit code 2.
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { readArguments } from "../cli/arguments.ts";
import { EXIT, exitCode } from "../cli/exit.ts";
import { COMMAND_NAMES } from "../cli/flags/commands.ts";
import { flagOf, optionsOf } from "../cli/flags/table.ts";
import { UsageError } from "../train/errors.ts";
import type { Bounds, Option } from "../train/options/option.ts";
import { adjoinCommand } from "./command.ts";
import { lacks } from "./permissions.ts";

type Numeric = Extract<Option, { kind: "number" | "integer" }>;
type Numbers = Extract<Option, { kind: "numbers" }>;

/** Texts that are no number, or none that a GPU keeps. */
const NO_NUMBERS = [
  "",
  "text",
  "NaN",
  "nan",
  "Infinity",
  "-Infinity",
  "inf",
  "1e999",
  "0x10",
  "1,5",
  "1 2",
];

/** Numbers beyond the bounds. */
function outside({ min, max, above, below }: Bounds): number[] {
  return [
    ...min === undefined ? [] : [min - 1, min - 1e-3],
    ...above === undefined ? [] : [above, above - 1],
    ...max === undefined ? [] : [max + 1, max + 0.5],
    ...below === undefined ? [] : [below, below + 1],
  ];
}

function badNumbers(option: Numeric): string[] {
  const { kind, among } = option;
  const never = kind === "integer" ? ["1.5", "1e30"] : ["1e39"];
  return [...NO_NUMBERS, ...never, ...outside(option).map(String)]
    .concat(among ? [String(Math.max(...among) + 1)] : []);
}

function badLists(option: Numbers): string[] {
  const { count: [least, most], order, alone } = option;
  const out = outside(option);
  const many = Array.from({ length: most + 1 }, (_, i) => 1 + i / 16);
  return [
    ...NO_NUMBERS.filter((text) => text !== "1,5"),
    ...[",", "1,", ",1", "1,,2", "1;2"],
    ...out.map((value) => Array(Math.max(least, 1)).fill(value).join(",")),
    many.join(","),
    ...least > 1 && !alone ? ["1"] : [],
    ...order === "different" ? ["1,1"] : [],
    ...order === "ascending" ? ["1,0.9"] : [],
  ];
}

/** Values that an option does not take. */
function badValues(option: Option): string[] {
  switch (option.kind) {
    case "number":
    case "integer":
      return badNumbers(option);
    case "numbers":
      return badLists(option);
    case "choice":
      return ["", "nothing-like-it", " ", ...option.choices.map((choice) => `${choice}x`)];
    case "choices":
      return ["", "nothing-like-it", ",", `${option.choices[0]},${option.choices[0]}`];
    case "string":
      return option.form ? ["", "\u0000", "?"] : [""];
    case "boolean":
      return ["yes", "1", ""];
  }
}

/** All spellings of a flag. */
function spellings({ name, short, also = [] }: Option): string[] {
  return [flagOf(name), ...also.map((other) => `--${other}`), ...short ? [`-${short}`] : []];
}

/** Holds that a command line is refused in one sentence, with exit code 2; gives the sentence. */
function refused(command: typeof COMMAND_NAMES[number], args: readonly string[]): string {
  const line = `${command} ${JSON.stringify(args)}`;
  const error = assertThrows(() => readArguments(command, args), UsageError, undefined, line);
  assertEquals(exitCode(error), EXIT.usage, line);
  const { message } = error;
  assert(message.startsWith("Cannot read the command line: -"), `${line}: ${message}`);
  // deno-lint-ignore no-control-regex
  assert(!/[\u0000-\u001f]/.test(message), `${line}: ${message}`);
  assert(message.length < 1200, `${line}: ${message}`);
  return message;
}

/** Options that were tried with all bad values: those that commands share are read alike. */
const tried = new Set<Option>();

for (const command of COMMAND_NAMES) {
  Deno.test(`${command} refuses every bad value of every flag`, () => {
    for (const option of optionsOf(command)) {
      const flag = flagOf(option.name);
      const values = badValues(option);
      for (const value of tried.has(option) ? values.slice(0, 2) : values) {
        const message = refused(command, [`${flag}=${value}`]);
        assertStringIncludes(message, flag);
        if (value.trim()) assert(/found | twice$/.test(message), message);
      }
      tried.add(option);
      if (option.kind === "boolean") continue;
      // The last of several counts.
      refused(command, [`${flag}=1`, `${flag}=${badValues(option).at(-1)}`]);
      for (const spelling of spellings(option)) {
        assertStringIncludes(refused(command, [spelling]), `${flag} needs a value`);
        assertStringIncludes(refused(command, [spelling, "--help"]), `${flag} needs a value`);
      }
      assertStringIncludes(refused(command, [`--no-${flag.slice(2)}`]), "is no flag of ");
    }
  });

  Deno.test(`${command} names the nearest flag and choice to one that is misspelt`, () => {
    for (const option of optionsOf(command)) {
      const flag = flagOf(option.name);
      if (flag.length > 5) assertStringIncludes(refused(command, [`${flag}z`]), "did you mean --");
      if (option.kind !== "choice") continue;
      for (const choice of option.choices) {
        if (choice.length < 5 || option.choices.includes(`${choice}q`)) continue;
        assertStringIncludes(refused(command, [`${flag}=${choice}q`]), "did you mean ");
      }
    }
  });
}

Deno.test(
  "what is refused is printed as one line on stderr, and nothing on stdout",
  { ignore: lacks("read", "run", "env") },
  async () => {
    const lines = ["train --lr fast", "predict --top 0 run cat.jpg", "bench conv --batch=-1"];
    const outcomes = await Promise.all(lines.map((line) => adjoinCommand(line.split(" "))));
    outcomes.forEach(({ code, out, error }, i) => {
      assertEquals([code, out], [EXIT.usage, ""], lines[i]);
      assertEquals(error.trimEnd().split("\n").length, 1, error);
    });
  },
);
