/**
 * Test files that nothing may run beside: they time themselves, change the whole process, or run a
 * browser, which takes all cores and is given up after a while.
 */
export const ALONE: readonly string[] = [
  "browser_check_test.ts",
  "browser_pictures_test.ts",
  "browser_test.ts",
  "example_page_test.ts",
  "packed_test.ts",
  "page_test.ts",
  "report_browser_test.ts",
  "serve_test.ts",
  "timing_test.ts",
];

/** Whether a test file, named by its address, may only run while no other does. */
export function runsAlone(file: string): boolean {
  return ALONE.includes(file.slice(file.lastIndexOf("/") + 1));
}
