import type { Value } from "./option.ts";

/** Options by name. */
type Values = Readonly<Record<string, Value | undefined>>;

/** What there is besides the values of options. */
export interface Beside {
  /** Names of options that were given; others have their defaults. */
  readonly given: ReadonlySet<string>;
  /** How many small networks there are. */
  readonly networks: number;
  /** Whether the run begins with weights: those of `init`, or of a model in a file. */
  readonly hasWeights: boolean;
  /** What options are called where they are given. Default: their own names. */
  readonly nameOf?: (name: string) => string;
}

/** Options that are at most as large as another one. */
const AT_MOST: readonly (readonly [name: string, limit: string])[] = [
  ["warmupEpochs", "epochs"],
  ["endTemperature", "temperature"],
];

/** Options that act on given weights alone. */
const OF_WEIGHTS = ["importance", "bnBatches"];

/** Why so few small networks leave a step none to draw from; nothing where they do. */
export function sandwichConflict(
  sandwich: number | undefined,
  networks: number,
  nameOf = (name: string): string => name,
): string | undefined {
  if (sandwich === undefined || sandwich < networks) return undefined;
  const name = nameOf("sandwich");
  return networks === 1
    ? `${name} has an effect on several small networks alone, found one; name more with ` +
      nameOf("compression")
    : `${name} is less than the ${networks} small networks, found ${sandwich}`;
}

/**
 * Why options of a training that are all right by themselves do not go together; nothing where they
 * do. The command line and the library ask here.
 */
export function conflict(
  values: Values,
  { given, networks, hasWeights, nameOf = (name) => name }: Beside,
): string | undefined {
  const { mode, nesterov, momentum, sched, sandwich } = values;
  const ofWeights = OF_WEIGHTS.find((name) => given.has(name));
  if (ofWeights && !hasWeights) {
    return `${nameOf(ofWeights)} has an effect with ${
      nameOf("init")
    } or a model in a file alone, ` +
      "found none";
  }
  if (networks > 1 && mode !== undefined && mode !== "adjoined") {
    return `several small networks are trained by ${nameOf("mode")} adjoined alone, found ` +
      `${networks} beside ${nameOf("mode")} ${mode}`;
  }
  const drawn = sandwichConflict(
    typeof sandwich === "number" ? sandwich : undefined,
    networks,
    nameOf,
  );
  if (drawn) return drawn;
  for (const [name, limit] of AT_MOST) {
    const [value, most] = [values[name], values[limit]];
    if (typeof value !== "number" || typeof most !== "number" || value <= most) continue;
    return `${nameOf(name)} is at most ${nameOf(limit)} ${most}, found ${value}`;
  }
  if (nesterov && momentum === 0 && sched !== "onecycle") {
    return `${nameOf("nesterov")} has no effect beside ${
      nameOf("momentum")
    } 0; leave one of them out`;
  }
}
