// PyTorch's random numbers on the CPU, number for number, so that a page draws the noise that a notebook draws.
// Mersenne Twister (Matsumoto & Nishimura 1998), seeded with the low 32 bits; normal numbers by Box and Muller
// in blocks of sixteen; Poisson numbers by Hoermann's transformed rejection (1993).

const N = 624;
const M = 397;

export class Generator {
  constructor(seed) {
    const state = new Uint32Array(N);
    state[0] = Number(BigInt(seed) & 0xffffffffn);
    for (let i = 1; i < N; i++) {
      const before = state[i - 1] ^ (state[i - 1] >>> 30);
      state[i] = (Math.imul(1812433253, before) + i) >>> 0;
    }
    this.state = state;
    this.next = N;
  }

  // 32 random bits.
  bits() {
    if (this.next === N) this.twist();
    let y = this.state[this.next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  twist() {
    const s = this.state;
    for (let i = 0; i < N; i++) {
      const y = (s[i] & 0x80000000) | (s[(i + 1) % N] & 0x7fffffff);
      s[i] = s[(i + M) % N] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.next = 0;
  }

  // Uniform in [0, 1): 24 bits as torch.rand in float32, 53 bits in float64.
  single() {
    return (this.bits() & 0xffffff) / 2 ** 24;
  }

  double() {
    const high = this.bits();
    return ((high & 0x1fffff) * 2 ** 32 + this.bits()) / 2 ** 53;
  }

  // torch.rand(count).
  rand(count) {
    return Float32Array.from({ length: count }, () => this.single());
  }

  // torch.randn(count) for a count of at least 16 (below that torch draws otherwise).
  randn(count) {
    if (count < 16) throw new RangeError(`randn of ${count} numbers; this draws 16 or more`);
    const out = this.rand(count);
    for (let i = 0; i + 16 <= count; i += 16) normalise(out, i);
    if (count % 16) {
      out.set(this.rand(16), count - 16);
      normalise(out, count - 16);
    }
    return out;
  }

  // One number of torch.poisson.
  poisson(rate) {
    if (rate === 0) return 0;
    if (rate >= 10) return this.manyCounts(rate);
    const enough = Math.exp(-rate);
    for (let count = 0, product = 1; ; count++) {
      product *= this.double();
      if (product <= enough) return count;
    }
  }

  manyCounts(rate) {
    const b = 0.931 + 2.53 * Math.sqrt(rate);
    const a = -0.059 + 0.02483 * b;
    const inverse = 1.1239 + 1.1328 / (b - 3.4);
    for (;;) {
      const u = this.double() - 0.5;
      const v = this.double();
      const us = 0.5 - Math.abs(u);
      const k = Math.floor(((2 * a) / us + b) * u + rate + 0.43);
      if (us >= 0.07 && v <= 0.9277 - 3.6224 / (b - 2)) return k;
      if (k < 0 || (us < 0.013 && v > us)) continue;
      const seen = Math.log(v) + Math.log(inverse) - Math.log(a / (us * us) + b);
      if (seen <= -rate + k * Math.log(rate) - logFactorial(k)) return k;
    }
  }
}

function normalise(numbers, start) {
  for (let i = start; i < start + 8; i++) {
    const radius = Math.sqrt(-2 * Math.log(1 - numbers[i]));
    const angle = 2 * Math.PI * numbers[i + 8];
    numbers[i] = radius * Math.cos(angle);
    numbers[i + 8] = radius * Math.sin(angle);
  }
}

const logs = [0, 0];

function logFactorial(k) {
  while (logs.length <= k) logs.push(logs.at(-1) + Math.log(logs.length));
  return logs[k];
}
