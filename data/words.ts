/** `a, b and c`, or with another `joint` before the last. */
export function listed(words: readonly string[], joint = "and"): string {
  return words.length < 2
    ? words.join("")
    : `${words.slice(0, -1).join(", ")} ${joint} ${words.at(-1)}`;
}

/** The first `most` words and how many there are besides: `a, b and 3 more`. */
export function abridged(words: readonly string[], most: number): string {
  const rest = words.length - most;
  return words.slice(0, most).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

/** What a budget limits, in words. */
export function budgetName(budgeted: "macs" | "params" | "latency" | "cost"): string {
  const names = {
    macs: "multiply-accumulates",
    params: "parameters",
    latency: "latency",
    cost: "cost",
  };
  return names[budgeted];
}

/** A fraction as a percentage: `71.8 %`. */
export function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)} %`;
}

/** How many there are of something: `1 epoch`, `2 epochs`. */
export function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
