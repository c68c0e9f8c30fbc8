//! Roots: Newton's method within brackets, and a search without a derivative.
//!
//! Invariant: a step that no longer moves the point ends the search before the bracket is looked at; else a converged
//! root is thrown away because the rounded step lies outside.

/// A function's value and derivative at a point.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slope {
    pub(crate) value: f64,
    pub(crate) slope: f64,
}

/// The root of an increasing function by Newton's method from `start`, kept within the open bracket.
pub(crate) fn newton(
    (mut low, mut high): (f64, f64),
    start: f64,
    function: impl Fn(f64) -> Slope,
) -> f64 {
    const MOST_STEPS: usize = 400;
    let mut at = start;
    for _ in 0..MOST_STEPS {
        let Slope { value, slope } = function(at);
        if value < 0.0 {
            low = low.max(at);
        } else {
            high = high.min(at);
        }
        let step = value / slope;
        if step.abs() <= 4.0 * f64::EPSILON * at.abs().max(1.0) {
            return at - step;
        }
        let next = at - step;
        at = if next > low && next < high {
            next
        } else {
            between(low, high)
        };
        if high - low <= 2.0 * f64::EPSILON * at.abs() {
            return at;
        }
    }
    at
}

/// A point within a bracket that may be unbounded on one side.
fn between(low: f64, high: f64) -> f64 {
    if high.is_infinite() {
        low + low.abs().max(1.0)
    } else if low.is_infinite() {
        high - high.abs().max(1.0)
    } else {
        f64::midpoint(low, high)
    }
}

/// Where an increasing function changes sign within a bracket: regula falsi (Illinois), with a bisection now and then.
/// The nearer end is given where it does not change sign.
fn increasing_root((mut low, mut high): (f64, f64), function: impl Fn(f64) -> f64) -> f64 {
    const MOST_STEPS: usize = 200;
    /// A step of bisection each so many steps, against slow convergence from one side.
    const BISECT: usize = 8;
    let (mut below, mut above) = (function(low), function(high));
    if below >= 0.0 {
        return low;
    }
    if above <= 0.0 {
        return high;
    }
    let mut last_was_low = None;
    for step in 1..=MOST_STEPS {
        let secant = (low * above - high * below) / (above - below);
        let at = if step % BISECT != 0 && secant > low && secant < high {
            secant
        } else {
            f64::midpoint(low, high)
        };
        let value = function(at);
        let moved = if value < 0.0 { at - low } else { high - at };
        if value < 0.0 {
            (low, below) = (at, value);
            if last_was_low == Some(true) {
                above /= 2.0;
            }
        } else {
            (high, above) = (at, value);
            if last_was_low == Some(false) {
                below /= 2.0;
            }
        }
        last_was_low = Some(value < 0.0);
        if value == 0.0 || moved.min(high - low) <= 4.0 * f64::EPSILON * at.abs() {
            return at;
        }
    }
    f64::midpoint(low, high)
}

/// The root of an increasing, nearly linear function near a guess: the secant method, and a bracketed search where it
/// does not settle. `width` is a step over which the function changes noticeably.
pub(crate) fn steep_root((guess, width): (f64, f64), function: impl Fn(f64) -> f64) -> f64 {
    const MOST_STEPS: usize = 12;
    const MOST_WIDENINGS: usize = 60;
    /// A relative step after which the next one is rounding: each has about the digits of the last two together.
    const SETTLED: f64 = 1e-8;
    let (mut before, mut at) = (guess - width / 16.0, guess);
    let (mut value_before, mut value) = (function(before), function(at));
    for _ in 0..MOST_STEPS {
        let step = value * (at - before) / (value - value_before);
        if value == 0.0 {
            return at;
        }
        if step.abs() <= SETTLED * at.abs().max(width) {
            return at - step;
        }
        if !step.is_finite() || step.abs() > 8.0 * width {
            break;
        }
        (before, value_before) = (at, value);
        at -= step;
        value = function(at);
    }
    let (mut low, mut high) = (guess - width, guess + width);
    let mut reach = width;
    for _ in 0..MOST_WIDENINGS {
        reach *= 2.0;
        match (function(low) < 0.0, function(high) > 0.0) {
            (true, true) => break,
            (below, above) => {
                low -= if below { 0.0 } else { reach };
                high += if above { 0.0 } else { reach };
            }
        }
    }
    increasing_root((low, high), function)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_found_to_the_last_digits() {
        let cube = |x: f64| x * x * x - 2.0;
        assert!((increasing_root((0.0, 5.0), cube) - libm::cbrt(2.0)).abs() < 1e-15);
        let root = newton((0.0, f64::INFINITY), 4.0, |x| Slope {
            value: cube(x),
            slope: 3.0 * x * x,
        });
        assert!((root - libm::cbrt(2.0)).abs() < 1e-15);
    }

    #[test]
    fn a_bad_guess_is_mended() {
        for guess in [0.1, 1.3, 90.0] {
            let root = steep_root((guess, 0.5), |x| libm::log(x.max(1e-9)) - 1.0);
            assert!(
                (root - std::f64::consts::E).abs() < 1e-13,
                "{guess}: {root}"
            );
        }
    }

    #[test]
    fn a_bracket_without_a_root_gives_its_nearer_end() {
        assert_eq!(increasing_root((1.0, 2.0), |x| x), 1.0);
        assert_eq!(increasing_root((-2.0, -1.0), |x| x), -1.0);
    }
}
