/** What a class may not be called: who makes a folder or a key of its name would be misled. */
const UNFIT: readonly (readonly [RegExp, string])[] = [
  [/\0/, "which has a zero byte"],
  [/^([\\/]|[a-z]:[\\/])/i, "which is the path of a file"],
  [/^__proto__$/, "which is the prototype of an object"],
  [/(^|[\\/])\.{1,2}([\\/]|$)/, "which leads to another folder"],
];

/**
 * Why a class may not have a name, in words that go after it; nothing for most names. Those with
 * slashes, as `T-shirt/top`, may be, and paths may not.
 */
export function unfitName(name: string): string | undefined {
  return UNFIT.find(([pattern]) => pattern.test(name))?.[1];
}
