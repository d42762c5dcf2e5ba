import { printable } from "../data/printable.ts";
import type { DatasetName } from "../data/recipes.ts";
import { suggestion } from "../data/suggestion.ts";
import { MODEL_FILE } from "../export/model_file_name.ts";
import { MODEL_NAMES } from "../nn/families/mod.ts";
import { checkValue } from "../train/options/check_value.ts";
import { noEffect } from "../train/options/no_effect.ts";
import { conflict } from "../train/options/conflict.ts";
import { widthsByName } from "../train/small_widths.ts";
import { type Value, withDefaults } from "../train/options/option.ts";
import type { TrainOptions } from "../train/types.ts";
import { optionsOf, type Training } from "./own_options.ts";
import type { RunSettings, TrainSettings } from "./run_settings.ts";

/** Fields that are no options of the command line. */
const OBJECTS = [
  ...["data", "init", "teacher", "widths", "gpu", "webgpu", "signal", "from", "cost", "budget"],
];

/** The settings of either function. */
export type AnySettings =
  & RunSettings
  & Pick<TrainSettings, "mode" | "teacher" | "widths" | "compression">;

/** Settings by name, before anything is known of them. */
type Given = Readonly<Record<string, unknown>>;

/** The data set whose defaults count. */
function datasetOf({ data: { train } }: RunSettings): DatasetName {
  return /^generated\b/.test(train.name) ? "generated" : "folder";
}

/** What the base network is called where it has no name. */
function modelNameOf({ model }: RunSettings): string | undefined {
  if (model instanceof Uint8Array) return `network${MODEL_FILE}`;
  return typeof model === "object" ? "network" : model;
}

/** Raises an error for what is no setting, and for values that are out of range or of another kind. */
function checkSettings(training: Training, given: Given): void {
  const doing = `Cannot ${training}`;
  const options = optionsOf(training);
  const names = [...options.map(({ name }) => name), ...OBJECTS];
  for (const [name, value] of Object.entries(given)) {
    if (!names.includes(name)) {
      const hint = suggestion(name, names);
      throw new TypeError(`${doing}: ${printable(name)} is no option of ${training}()${hint}`);
    }
    const option = options.find((option) => option.name === name);
    if (!option || OBJECTS.includes(name) || value === undefined) continue;
    checkValue(option, value, doing);
  }
}

/** Raises a `RangeError` for what is given and does nothing, or not go, beside the other options. */
function refuseBeside(
  training: Training,
  { init, from, model, widths, compression = 1 }: AnySettings,
  { given, found }: {
    readonly given: Given;
    readonly found: Readonly<Record<string, Value>>;
  },
): void {
  const named = new Set(
    Object.keys(given).filter((name) => given[name] !== undefined && given[name] !== false),
  );
  const why = noEffect(optionsOf(training), { given: named, found }) ?? conflict(found, {
    given: named,
    networks: widths ? widthsByName(widths).length : [compression].flat().length,
    hasWeights: init !== undefined || from !== undefined || model instanceof Uint8Array,
  });
  if (why) throw new RangeError(`Cannot ${training}: ${why}`);
}

/**
 * The options of a training: those that are given, and the command line's defaults of all others.
 * Raises a `TypeError` for what is no option or of another kind, a `RangeError` for what is out of
 * range.
 */
export function resolved(training: Training, settings: AnySettings): TrainOptions {
  const { data, model, gradAccumSteps, ...others } = settings;
  if (typeof model === "string" && !MODEL_NAMES.includes(model)) {
    throw new RangeError(
      `Cannot ${training}: model is a network, the bytes of an ONNX file, or one of ` +
        `${MODEL_NAMES.join(", ")}, found ${printable(model)}${suggestion(model, MODEL_NAMES)}`,
    );
  }
  const accumulation = gradAccumSteps === undefined ? undefined : String(gradAccumSteps);
  const given: Given = { ...others, gradAccumSteps: accumulation };
  checkSettings(training, given);
  const values = Object.fromEntries(
    Object.entries(given).filter(([name, value]) => value !== undefined && !OBJECTS.includes(name)),
  ) as Record<string, Value>;
  const full: Record<string, Value> = {
    ...withDefaults(optionsOf(training), {
      dataset: datasetOf(settings),
      // Images are shown as they are, whatever a data set's own recipe is.
      cropPct: 1,
      ...values,
      model: modelNameOf(settings) ?? "resnet8",
    }),
    // What files alone need.
    ...{ channels: data.train.channels, keep: 0, strict: false, output: "" },
  };
  refuseBeside(training, settings, { given, found: full });
  // Each is a value of the option of its name.
  const options = full as Record<string, Value> & TrainOptions;
  const { init, teacher, widths } = settings;
  return {
    ...options,
    ...init ? { init: "init" } : {},
    ...teacher ? { teacher: "teacher" } : {},
    // A teacher teaches the small network.
    ...options.mode === "distill" ? { which: "small" } : {},
    // There is no small network, and may be none with the default.
    ...options.mode === "plain" && options.which === "base" ? { maskFrom: 1 } : {},
    // Convolutions that widths do not name are whole.
    ...widths ? { widths, compression: 1 } : {},
  };
}
