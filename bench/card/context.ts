import type { Plan } from "./plan.ts";
import type { Results } from "./results.ts";

/** What a part of the measurement works with. */
export interface Context {
  readonly plan: Plan;
  /** The folder that everything goes to. */
  readonly folder: string;
  /** Milliseconds that are left for the part. */
  readonly left: () => number;
  readonly results: () => Results;
  /** Adds to the results, and keeps them. */
  readonly add: (more: Partial<Results>) => Promise<void>;
  /** Prints a line. */
  readonly tell: (line: string) => void;
}

/** Where the choice of tiles is kept, so that each precision makes it once. */
export function cacheOf({ folder }: Pick<Context, "folder">): string {
  return `${folder}/cache`;
}

/** Where Deno keeps packages on Linux: unless told, below the variable that names the caches. */
function packages(): string {
  const [own, caches, home] = ["DENO_DIR", "XDG_CACHE_HOME", "HOME"]
    .map((name) => Deno.env.get(name) || undefined);
  return own ?? `${caches ?? `${home}/.cache`}/deno`;
}

/** What processes need for that cache: variables, and permissions. */
export function cacheAccess(context: Pick<Context, "folder">): {
  readonly env: Readonly<Record<string, string>>;
  readonly grants: readonly string[];
} {
  const cache = cacheOf(context);
  return {
    env: { XDG_CACHE_HOME: cache, ...Deno.build.os === "linux" ? { DENO_DIR: packages() } : {} },
    grants: [`--allow-read=${cache}`, `--allow-write=${cache}`, "--allow-env=XDG_CACHE_HOME"],
  };
}
