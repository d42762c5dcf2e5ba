import { CHECKPOINTS } from "../../train/options/checkpoint_options.ts";
import { IMAGES } from "../../train/options/image_options.ts";
import { LOSSES } from "../../train/options/loss_options.ts";
import { NETWORKS } from "../../train/options/network_options.ts";
import { OPTIMIZATION } from "../../train/options/optimization_options.ts";
import type { Option, OptionOf, Section, Values } from "../../train/options/option.ts";
import { SEARCH } from "../../train/options/search_options.ts";
import { BENCH } from "./bench.ts";
import { type Command, COMMAND_NAMES } from "./commands.ts";
import { DATA } from "./data.ts";
import { DOCTOR } from "./doctor.ts";
import { EVAL } from "./eval.ts";
import { EXPORT } from "./export.ts";
import { PARITY } from "./parity.ts";
import { PREDICT } from "./predict.ts";
import { RUN } from "./run_options.ts";
import { SERVE } from "./serve.ts";
import { SUMMARY } from "./summary.ts";
import { WEBGPU } from "./webgpu.ts";
import { WGSL } from "./wgsl.ts";

/** Every option of every command, named as in timm where timm has it, in the order of the help. */
export const SECTIONS = [
  ...NETWORKS,
  ...LOSSES,
  ...SEARCH,
  ...SUMMARY.sections,
  ...SERVE.sections,
  ...DOCTOR.sections,
  ...DATA.sections,
  ...IMAGES,
  ...OPTIMIZATION,
  ...CHECKPOINTS,
  ...RUN,
  ...EXPORT.sections,
  ...EVAL.sections,
  ...PREDICT.sections,
  ...PARITY.sections,
  ...WGSL.sections,
  ...BENCH,
  ...WEBGPU,
  {
    title: "other",
    commands: COMMAND_NAMES,
    options: [
      {
        name: "help",
        course: false,
        short: "h",
        kind: "boolean",
        help: "print this text",
      },
      {
        name: "version",
        course: false,
        short: "V",
        kind: "boolean",
        help: "print the version",
      },
    ],
  },
] as const satisfies readonly (Section & { readonly commands: readonly Command[] })[];

type Table = typeof SECTIONS[number];

/** The values of a command's options by name; what has no default may be missing. */
export type CommandValues<C extends Command> = Values<OptionOf<Table, C>>;

/** The sections of a command, those of one title as one. */
export function sectionsOf(command: Command): readonly Section[] {
  const all: readonly Section[] = SECTIONS;
  const titles = new Map<string, Section>();
  for (const section of all) {
    if (!section.commands.includes(command)) continue;
    const before = titles.get(section.title)?.options ?? [];
    titles.set(section.title, { ...section, options: [...before, ...section.options] });
  }
  return [...titles.values()];
}

/** The options of a command. */
export function optionsOf(command: Command): readonly Option[] {
  return sectionsOf(command).flatMap(({ options }) => options);
}

/** The flag of an option: `batchSize` is `--batch-size`. */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Options that print something else in the place of what a command does. */
export const ABOUT: readonly string[] = ["help", "version"];

/** The commands that have an option. */
export function commandsWith(name: string): readonly Command[] {
  return COMMAND_NAMES.filter((command) =>
    optionsOf(command).some((option) => option.name === name)
  );
}
