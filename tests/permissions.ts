/** What a test may need beyond the GPU, which needs no permission. */
type Name = "read" | "write" | "run" | "net" | "env" | "ffi";

/**
 * Whether a permission is missing that a test needs. `deno task test` grants them all, of the
 * network only this machine; a plain `deno test` grants none, and then runs the tests that need
 * none, such as those of all ops.
 */
export function lacks(...names: Name[]): boolean {
  return names.some((name) => {
    const wanted = name === "net" ? { name, host: "127.0.0.1" } as const : { name };
    return Deno.permissions.querySync(wanted).state !== "granted";
  });
}
