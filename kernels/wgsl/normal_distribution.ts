/** The coefficients of {@link NORMAL_TAIL}, those of t first. */
const TAIL = [0.117573538, 0.0435966512, 0.330219556, -0.326388862, 0.449164743, -0.114165616];

/**
 * WGSL of `normal_tail(a, bell)`, the chance that N(0, 1) lies above a, for a from 0 on and
 * `bell = exp(-a²/2)`: bell · (c₁ t + ... + c₆ t⁶) with t = 1 / (1 + 0.275 a), fitted for the least
 * error of max(1, a) times it, 1.1e-8. Float32 makes about 1e-7 of it.
 */
export const NORMAL_TAIL: string = /* wgsl */ `
fn normal_tail(a: vec4f, bell: vec4f) -> vec4f {
  let t = 1.0 / fma(vec4f(0.275), a, vec4f(1.0));
  return bell * (t * ${
  TAIL.reduceRight((inner, c) => inner ? `fma(t, ${inner}, vec4f(${c}))` : `vec4f(${c})`, "")
});
}`;

/**
 * The chance that N(0, 1) lies below x, in float64: 1/2 + exp(-x²/2) / √(2π) · (x + x³/3 + x⁵/(3·5)
 * + ...), whose terms have one sign, so that nothing cancels but in the lower tail.
 */
export function normalBelow(x: number): number {
  if (Math.abs(x) > 12) return x < 0 ? 0 : 1;
  let term = x;
  let sum = 0;
  for (let k = 1; sum + term !== sum; k++) {
    sum += term;
    term *= x * x / (2 * k + 1);
  }
  return 0.5 + sum * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
}
