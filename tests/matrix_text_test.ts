// Kernels for matrix units as text: no adapter here has some. Tint is asked where Dawn is installed.
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { MatrixForm } from "../kernels/gpu/abilities.ts";
import { MATRIX_TILES } from "../kernels/matrix/tile.ts";
import { matrixTexts, roofText, SPELLINGS } from "./matrix_texts.ts";
import { lacks } from "./permissions.ts";

/** The order in which each direction stages its operands: the left one, the right one. */
const ORDERS = {
  "forward": ["rows", "rows"],
  "input gradient": ["rows", "columns"],
  "weight gradient": ["columns", "rows"],
} as const;

const MAJOR = { rows: "row_major", columns: "col_major" };
const FLAG = { rows: "false", columns: "true" };
const NAGA = { rows: "T", columns: "" };

/** How a form loads an operand of a tile: of the side, in the order. */
const LOADS: Readonly<
  Record<MatrixForm, (side: "left" | "right", order: "rows" | "columns") => RegExp>
> = {
  "tint-new": (side, order) =>
    RegExp(
      `subgroupMatrixLoad<subgroup_matrix_${side}<f16, 16, 16>, ${MAJOR[order]}>` +
        `\\(&${side}_tile, [^;]+, \\d+u\\);`,
    ),
  "tint-old": (side, order) =>
    RegExp(
      `subgroupMatrixLoad<subgroup_matrix_${side}<f16, 16, 16>>` +
        `\\(&${side}_tile, [^;]+, ${FLAG[order]}, \\d+u\\);`,
    ),
  "naga": (side, order) =>
    RegExp(
      `coopLoad${NAGA[order]}<coop_mat16x16<f16, ${side === "left" ? "A" : "B"}>>` +
        `\\(&${side}_tile\\[[^;]+\\], \\d+u\\);`,
    ),
};

const TINT = [
  "enable f16;",
  "enable chromium_experimental_subgroup_matrix;",
  "diagnostic(off, chromium.subgroup_matrix_uniformity);",
];
const TINT_MULTIPLY = /sum0 = subgroupMatrixMultiplyAccumulate\(left_0, right_0, sum0\);/;

/** What else a kernel has in each form: directives, the product, the store of sums. */
const WORDS: Readonly<
  Record<MatrixForm, { directives: readonly string[]; multiply: RegExp; store: RegExp }>
> = {
  "tint-new": {
    directives: TINT,
    multiply: TINT_MULTIPLY,
    store: /subgroupMatrixStore<row_major>\(&sums_tile, [^;]+, sum0, \d+u\);/,
  },
  "tint-old": {
    directives: TINT,
    multiply: TINT_MULTIPLY,
    store: /subgroupMatrixStore\(&sums_tile, [^;]+, sum0, false, \d+u\);/,
  },
  "naga": {
    directives: ["enable f16;", "enable wgpu_cooperative_matrix;"],
    multiply: /sum0 = coopMultiplyAdd\(left_0, right_0, sum0\);/,
    store: /coopStoreT\(sum0, &sums_tile\[[^;]+\], \d+u\);/,
  },
};

for (const spelling of SPELLINGS) {
  const { form, vectors } = spelling;
  Deno.test(`${form}, arrays of ${vectors ? "vec4" : "scalars"}: what kernels say`, async () => {
    const { directives, multiply, store } = WORDS[form];
    const texts = await matrixTexts(spelling);
    // Forward and input gradient have two kernels each, one with slices within a tap.
    assertEquals(new Set(texts.map(({ name }) => name)).size, 5 * MATRIX_TILES.length);
    for (const { code, direction } of texts) {
      assertEquals(code.split("\n").slice(0, directives.length), directives);
      assertEquals(code.lastIndexOf("enable "), code.indexOf(directives[1]));
      for (const [open, close] of ["{}", "()", "[]"]) {
        assertEquals(code.split(open).length, code.split(close).length);
      }
      const [left, right] = ORDERS[direction];
      assertMatch(code, LOADS[form]("left", left));
      assertMatch(code, LOADS[form]("right", right));
      assertMatch(code, multiply);
      assertMatch(code, store);
      assertMatch(code, RegExp(`left_tile: array<${vectors ? "vec4<f16>" : "f16"}, `));
      // No loop of the emulation, which holds sums in an array.
      assert(!/sums\[|undefined|NaN|\d\.\d+u/.test(code), code);
    }
    const roof = await roofText(spelling);
    assertEquals(roof.split("\n").slice(0, directives.length), directives);
    for (const word of [multiply, store]) assertMatch(roof, word);
    assert(!/sums\[|undefined|NaN|\d\.\d+u/.test(roof), roof);
  });
}

/** Where `setup.sh --dawn` puts Dawn. */
const DAWN = new URL("../cli/webgpu/package/node_modules/webgpu/index.js", import.meta.url);

function isInstalled(): boolean {
  try {
    return Deno.statSync(DAWN).isFile;
  } catch {
    return false;
  }
}

interface DawnPackage {
  create(options: readonly string[]): GPU;
}

// Dawn's null backend has every feature and no hardware: Tint checks modules as it would on a card.
Deno.test("Tint takes the kernels in its spellings, and refuses what is wrong", {
  ignore: lacks("read", "env", "ffi") || !isInstalled(),
}, async () => {
  const { create }: DawnPackage = await import(DAWN.href);
  const webgpu = create(["backend=null", "enable-dawn-features=allow_unsafe_apis"]);
  const adapter = await webgpu.requestAdapter();
  assert(adapter);
  // The name of an experimental feature is none that the types know.
  const requiredFeatures = [...adapter.features].filter((name) =>
    /^shader-f16$|^subgroups$|subgroup-matrix$/.test(name)
  ) as GPUFeatureName[];
  const device = await adapter.requestDevice({ requiredFeatures });
  const problem = async (code: string): Promise<string | undefined> => {
    device.pushErrorScope("validation");
    device.createShaderModule({ code });
    return (await device.popErrorScope())?.message;
  };
  for (const spelling of SPELLINGS.filter(({ form }) => form !== "naga")) {
    const texts = await matrixTexts(spelling);
    // Dawn writes a warning for each builtin of the old form: one kernel is enough.
    const some = spelling.form === "tint-old" ? texts.slice(-1) : texts;
    for (const { name, code } of some) {
      const found = await problem(code);
      assertEquals(found, undefined, `${spelling.form}, ${name}: ${found}`);
    }
    const roof = await problem(await roofText(spelling));
    assertEquals(roof, undefined, `${spelling.form}, roof: ${roof}`);
    const [{ code }] = texts;
    assertMatch(
      await problem(code.replace("subgroup_matrix_left<f16", "subgroup_matrix_left<f32")) ?? "",
      /Error/,
    );
  }
  device.destroy();
});
