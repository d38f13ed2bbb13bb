// Python's ways to write numbers, and its sentences with places for them.

// A sentence with {names} filled in.
export const fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);

// f"{x:.3f}": to the nearest, ties to the even digit.
export function fixed(x, digits) {
  const scaled = Math.abs(x) * 10 ** digits;
  const down = Math.floor(scaled);
  const tie = scaled - down === 0.5 && Number.isInteger(x * 2 ** (digits + 1));
  return tie ? ((Math.sign(x) * (down + (down % 2))) / 10 ** digits).toFixed(digits) : x.toFixed(digits);
}

export const percent = (share) => `${fixed(100 * share, 0)}%`;
export const signed = (x, digits) => (x < 0 ? "" : "+") + fixed(x, digits);

// f"{x:.4g}".
export function general(x, digits = 6) {
  if (x === 0 || !Number.isFinite(x)) return String(x);
  const exponent = Number(x.toExponential(digits - 1).split("e")[1]);
  if (exponent >= -4 && exponent < digits) return String(Number(fixed(x, digits - 1 - exponent)));
  const [head, tail] = x.toExponential(digits - 1).split("e");
  return `${Number(head)}e${tail[0]}${tail.slice(1).padStart(2, "0")}`;
}
