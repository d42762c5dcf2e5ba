/**
 * WGSL of `turn(angle)`: the cosine and the sine of an angle in radians from -2π to 2π. Adapters may
 * be 2^-11 off in their own; this is within 2^-20 everywhere, by the series of an eighth of the
 * angle, which is doubled three times.
 */
export const TURN: string = /* wgsl */ `
fn turn(angle: f32) -> vec2f {
  let a = angle / 8.0;
  let b = a * a;
  // 1 - cos(a) keeps its digits where the cosine is near 1.
  var less = b * (1.0 / 2.0 - b * (1.0 / 24.0 - b * (1.0 / 720.0 - b / 40320.0)));
  var sine = a * (1.0 - b * (1.0 / 6.0 - b * (1.0 / 120.0 - b * (1.0 / 5040.0 - b / 362880.0))));
  for (var i = 0; i < 3; i++) {
    let doubled = 2.0 * sine * (1.0 - less);
    less = 2.0 * sine * sine;
    sine = doubled;
  }
  return vec2f(1.0 - less, sine);
}
`;
