import { fileURLToPath } from "node:url";
import type { Option, Section } from "../../train/options/option.ts";
import type { Command } from "./commands.ts";
import { listed } from "../../data/words.ts";
import { defaultWords } from "./default_words.ts";
import { settingsList } from "./settings_list.ts";
import { flagOf, SECTIONS } from "./table.ts";

function quoted(text: string): string {
  return `\`${text}\``;
}

/** The flag with its other spellings, the default, and what it does with its choices. */
function cells(option: Option, command: Command): string[] {
  const { name, short, also = [], help } = option;
  const flags = [flagOf(name), ...short ? [`-${short}`] : [], ...also.map((word) => `--${word}`)];
  const file = option.kind === "choice" && option.orFile ? [`FILE${option.orFile}`] : [];
  const choices = "choices" in option
    ? `: ${[...option.choices, ...file].map(quoted).join(", ")}`
    : "";
  const only = Object.entries(option.only ?? {})
    .map(([key, values]) => `; with ${flagOf(key)} ${values.join(", ")}`).join("");
  const needs = option.needs === undefined
    ? ""
    : `; with ${listed(option.needs.map(flagOf), "or")}`;
  return [
    flags.map(quoted).join(", "),
    defaultWords(option, command) ?? "",
    help + choices + only + needs,
  ];
}

/** A table of Markdown whose columns are in line. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const [head, ...others] = rows.map((row) => line(row.map((cell, i) => cell.padEnd(widths[i]))));
  return [head, line(widths.map((width) => "-".repeat(width))), ...others];
}

/** docs/options.md: every option of every command. */
export function optionList(): string {
  const sections: readonly (Section & { readonly commands: readonly Command[] })[] = SECTIONS;
  const blocks = sections.flatMap(({ title, commands, options }) => {
    const rows = options.map((option) => cells(option, commands[0]));
    return [
      `## ${title[0].toUpperCase()}${title.slice(1)}: ${commands.map(quoted).join(", ")}`,
      table([["flag", "default", "what it does"], ...rows]).join("\n"),
    ];
  });
  return [
    "# Options",
    "Every option of every command, written by `deno task options` from the tables that the " +
    "command line reads. In config.json the option of `--batch-size` is `batchSize`.",
    ...blocks,
  ].join("\n\n") + "\n";
}

if (import.meta.main) {
  const path = fileURLToPath(new URL("../../docs/options.md", import.meta.url));
  await Deno.writeTextFile(path, optionList());
  const settings = fileURLToPath(new URL("../../library/settings.ts", import.meta.url));
  await Deno.writeTextFile(settings, settingsList());
}
