//! The standard normal distribution.

use super::{Tail, Tails};
use crate::exact::two_product;

/// 1/√2, and what the float leaves of it.
const HALF_ROOT: f64 = std::f64::consts::FRAC_1_SQRT_2;
const HALF_ROOT_REST: f64 = -4.833_646_656_726_458e-17;
const LN_SQRT_2PI: f64 = 0.918_938_533_204_672_8;

/// The density at `x`.
pub fn normal_density(x: f64) -> f64 {
    libm::exp(ln_density(x))
}

/// The logarithm of the density at `x`.
pub(super) fn ln_density(x: f64) -> f64 {
    -x * x / 2.0 - LN_SQRT_2PI
}

/// Both tails at `x`.
pub(crate) fn normal(x: f64) -> Tails {
    let beyond = upper_tail(x.abs());
    if x > 0.0 { beyond.swapped() } else { beyond }
}

/// P(|X| > |x|) and its logarithm.
pub(crate) fn normal_two_sided(x: f64) -> (f64, f64) {
    /// Up to here the error function is smaller than its complement.
    const NEAR: f64 = 0.6;
    let x = x.abs();
    let beyond = upper_tail(x);
    let p = 2.0 * beyond.lower;
    if x < NEAR {
        (p, libm::log1p(-libm::erf(x * HALF_ROOT)))
    } else {
        (p, beyond.ln_lower + std::f64::consts::LN_2)
    }
}

/// P(X < −x) as the lower tail, for x ≥ 0.
fn upper_tail(x: f64) -> Tails {
    /// From here on the error function runs out of floats, and the continued fraction is short.
    const FAR: f64 = 35.0;
    if x > FAR {
        let ln = ln_far(x);
        return Tails::of_lower(ln, libm::exp(ln));
    }
    let z = x * HALF_ROOT;
    let (product, error) = two_product(x, HALF_ROOT);
    // x/√2 − z, to first order the error of erfc's argument.
    let rest = (product - z) + error + x * HALF_ROOT_REST;
    let erfc = libm::erfc(z);
    let slope = std::f64::consts::FRAC_2_SQRT_PI * libm::exp(-z * z);
    let lower = (erfc - rest * slope) / 2.0;
    Tails::of_lower(libm::log(lower), lower)
}

/// ln P(X > x) by Laplace's continued fraction 1/(x + 1/(x + 2/(x + …))), for large x.
fn ln_far(x: f64) -> f64 {
    const STEPS: i32 = 40;
    if x.is_infinite() {
        return f64::NEG_INFINITY;
    }
    let fraction = (1..=STEPS)
        .rev()
        .fold(x, |rest, step| x + f64::from(step) / rest);
    ln_density(x) - libm::log(fraction)
}

/// The point with this tail: Wichura 1988, algorithm AS 241 (PPND16).
pub(crate) fn normal_quantile(tail: Tail) -> f64 {
    /// Half-width of the central part.
    const CENTRE: f64 = 0.425;
    let (lower, sign) = match tail {
        Tail::Lower(p) => (p, 1.0),
        Tail::Upper(p) => (p, -1.0),
    };
    let from_centre = lower - 0.5;
    if from_centre.abs() <= CENTRE {
        let square = CENTRE * CENTRE - from_centre * from_centre;
        return sign * from_centre * ratio(square, &CENTRE_ABOVE, &CENTRE_BELOW);
    }
    let (small, side) = if from_centre < 0.0 {
        (lower, -1.0)
    } else {
        (1.0 - lower, 1.0)
    };
    if small <= 0.0 {
        return sign * side * f64::INFINITY;
    }
    let root = (-libm::log(small)).sqrt();
    let size = if root <= 5.0 {
        ratio(root - 1.6, &MIDDLE_ABOVE, &MIDDLE_BELOW)
    } else {
        ratio(root - 5.0, &FAR_ABOVE, &FAR_BELOW)
    };
    sign * side * size
}

fn ratio(x: f64, above: &[f64; 8], below: &[f64; 8]) -> f64 {
    let value = |terms: &[f64; 8]| terms.iter().rev().fold(0.0, |rest, term| term + x * rest);
    value(above) / value(below)
}

const CENTRE_ABOVE: [f64; 8] = [
    3.387_132_872_796_366_5,
    133.141_667_891_784_38,
    1_971.590_950_306_551_3,
    13_731.693_765_509_46,
    45_921.953_931_549_87,
    67_265.770_927_008_7,
    33_430.575_583_588_13,
    2_509.080_928_730_122_7,
];
const CENTRE_BELOW: [f64; 8] = [
    1.0,
    42.313_330_701_600_91,
    687.187_007_492_057_9,
    5_394.196_021_424_751,
    21_213.794_301_586_597,
    39_307.895_800_092_71,
    28_729.085_735_721_943,
    5_226.495_278_852_854,
];
const MIDDLE_ABOVE: [f64; 8] = [
    1.423_437_110_749_683_5,
    4.630_337_846_156_546,
    5.769_497_221_460_691,
    3.647_848_324_763_204_5,
    1.270_458_252_452_368_4,
    0.241_780_725_177_450_6,
    0.022_723_844_989_269_184,
    7.745_450_142_783_414e-4,
];
const MIDDLE_BELOW: [f64; 8] = [
    1.0,
    2.053_191_626_637_759,
    1.676_384_830_183_803_8,
    0.689_767_334_985_1,
    0.148_103_976_427_480_08,
    0.015_198_666_563_616_457,
    5.475_938_084_995_345e-4,
    1.050_750_071_644_416_9e-9,
];
const FAR_ABOVE: [f64; 8] = [
    6.657_904_643_501_103,
    5.463_784_911_164_114,
    1.784_826_539_917_291_3,
    0.296_560_571_828_504_87,
    0.026_532_189_526_576_124,
    0.001_242_660_947_388_078_4,
    2.711_555_568_743_487_6e-5,
    2.010_334_399_292_288_1e-7,
];
const FAR_BELOW: [f64; 8] = [
    1.0,
    0.599_832_206_555_888,
    0.136_929_880_922_735_8,
    0.014_875_361_290_850_615,
    7.868_691_311_456_133e-4,
    1.846_318_317_510_054_8e-5,
    1.421_511_758_316_446e-7,
    2.044_263_103_389_939_8e-15,
];
