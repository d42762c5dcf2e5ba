/**
 * Whether a permission is missing that a test needs. `deno task test` grants them all; a plain
 * `deno test` grants none, and then runs the tests that need none, such as those of all ops.
 */
export function lacks(...names: ("read" | "write" | "run" | "net" | "env")[]): boolean {
  return names.some((name) => Deno.permissions.querySync({ name }).state === "prompt");
}
