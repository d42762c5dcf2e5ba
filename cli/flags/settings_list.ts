import { BY_HAND, optionsOf } from "../../library/own_options.ts";
import type { Option } from "../../train/options/option.ts";
import { defaultWords } from "./default_words.ts";
import { flagOf } from "./table.ts";
import type { Command } from "./commands.ts";

/** The type of an option's values, as TypeScript has it. */
function typeOf(option: Option): string {
  switch (option.kind) {
    case "boolean":
      return "boolean";
    case "string":
      return "string";
    case "number":
    case "integer":
      return option.among?.join(" | ") ?? "number";
    case "choice":
      return option.choices.map((choice) => JSON.stringify(choice)).join(" | ");
    case "choices":
      return `readonly (${option.choices.map((choice) => JSON.stringify(choice)).join(" | ")})[]`;
    case "numbers": {
      const [few, many] = option.count;
      const list = few === 2 && many === 2 ? "readonly [number, number]" : "readonly number[]";
      return option.alone ? `number | ${list}` : list;
    }
  }
}

/** What an option does, without the names of flags. */
function words(option: Option, command: Command): string {
  const names = new Map(
    optionsOf("train").concat(optionsOf("search")).map(({ name }) => [
      flagOf(name),
      name,
    ]),
  );
  const plain = (text: string): string =>
    text.replace(/--[a-z-]+/g, (flag) => names.get(flag) ?? flag.slice(2));
  const only = Object.entries(option.only ?? {}).map(([key, values]) =>
    key === "model" ? "" : ` With ${key} ${values.join(" or ")} alone.`
  ).join("");
  const fallback = defaultWords(option, command);
  const help = plain(option.help);
  return `${help[0].toUpperCase()}${help.slice(1)}.${only}` +
    (fallback ? ` Default: ${plain(fallback)}.` : "");
}

/** Text as lines of a comment. */
function comment(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < 92) lines[lines.length - 1] += ` ${word}`;
    else lines.push(word);
  }
  if (lines.length === 1) return `  /** ${lines[0]} */`;
  return ["  /**", ...lines.map((line) => `   * ${line}`), "   */"].join("\n");
}

function fields(options: readonly Option[], command: Command): string {
  return options.filter(({ name }) => !BY_HAND.includes(name)).map((option) =>
    `${comment(words(option, command))}\n  readonly ${option.name}?: ${typeOf(option)};`
  ).join("\n");
}

/** library/settings.ts: the options that the library shares with the command line, by function. */
export function settingsList(): string {
  const train = optionsOf("train");
  const search = optionsOf("search");
  const has = (options: readonly Option[], { name }: Option): boolean =>
    options.some((option) => option.name === name);
  const both = train.filter((option) => has(search, option));
  const parts: readonly (readonly [string, string, readonly Option[], Command])[] = [
    ["CommonSettings", "`train()` and `search()`", both, "train"],
    [
      "TrainOnlySettings",
      "`train()` alone",
      train.filter((option) => !has(search, option)),
      "train",
    ],
    [
      "SearchOnlySettings",
      "`search()` alone",
      search.filter((option) => !has(train, option)),
      "search",
    ],
  ];
  return [
    "// Written by `deno task options` from the tables in train/options/.",
    ...parts.map(([name, of, options, command]) =>
      `/** Options of ${of}, with the names and defaults of the command line. */\n` +
      `export interface ${name} {\n${fields(options, command)}\n}`
    ),
  ].join("\n\n") + "\n";
}
