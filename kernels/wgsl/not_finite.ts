/**
 * `not_finite(v)`: whether components of `v` are infinite or NaN, told by their bits, as compilers may
 * take it for granted that there are none.
 */
export const NOT_FINITE = /* wgsl */ `
fn not_finite(v: vec4f) -> bool {
  return any((bitcast<vec4u>(v) & vec4u(0x7f800000u)) == vec4u(0x7f800000u));
}`;
