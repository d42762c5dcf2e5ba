/** Prints how a bench is used where the arguments of this process ask for it. */
export function helped(usage: string, args: readonly string[] = Deno.args): boolean {
  const asked = args.some((arg) => arg === "--help" || arg === "-h");
  if (asked) console.log(usage);
  return asked;
}
