//! Seeded chance: the same seed draws the same picture.

/// SplitMix64 (Steele, Lea, Flood 2014).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// From 0 to 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From -1 to 1.
    pub(crate) fn symmetric(&mut self) -> f64 {
        self.unit() * 2.0 - 1.0
    }

    /// Between two numbers.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// One of several.
    pub(crate) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[(self.next() % from.len() as u64) as usize]
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Value noise on a unit lattice, 0 to 1.
pub(crate) fn smooth_noise(x: f64, y: f64) -> f64 {
    let (x0, y0) = (libm::floor(x), libm::floor(y));
    let ease = |t: f64| t * t * (3.0 - 2.0 * t);
    let (tx, ty) = (ease(x - x0), ease(y - y0));
    let at = |dx: f64, dy: f64| {
        let cell = ((x0 + dx) as i64 as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ^ ((y0 + dy) as i64 as u64).rotate_left(32);
        (mix(cell) >> 11) as f64 / (1_u64 << 53) as f64
    };
    let top = at(0.0, 0.0) * (1.0 - tx) + at(1.0, 0.0) * tx;
    let bottom = at(0.0, 1.0) * (1.0 - tx) + at(1.0, 1.0) * tx;
    top * (1.0 - ty) + bottom * ty
}

/// Four octaves of noise, 0 to 1.
pub(crate) fn ridges(x: f64, seed: f64) -> f64 {
    (0..4)
        .map(|o| smooth_noise(x * f64::from(1 << o), seed + f64::from(o) * 7.0) / f64::from(2 << o))
        .sum::<f64>()
        / 0.9375
}
