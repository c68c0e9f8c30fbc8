//! Properties that hold for every argument, and the ends of the domains.

use proptest::prelude::*;

use super::discrete::Urn;
use super::*;

fn near(found: f64, expected: f64, tolerance: f64) -> bool {
    found == expected || (found - expected).abs() <= tolerance * expected.abs().max(found.abs())
}

#[test]
fn what_is_outside_a_domain_gets_a_reason() {
    let t = |df| Distribution::StudentT { df };
    assert_eq!(t(0.0).tails(1.0), Err(Undefined::DomainError));
    assert_eq!(t(f64::NAN).tails(1.0), Err(Undefined::NonFiniteInput));
    assert_eq!(t(3.0).tails(f64::NAN), Err(Undefined::NonFiniteInput));
    assert_eq!(
        t(3.0).quantile(Tail::Lower(1.5)),
        Err(Undefined::DomainError)
    );
    assert_eq!(noncentral_t(1.0, 0.5, 1.0), Err(Undefined::DomainError));
    assert_eq!(
        noncentral_f(1.0, (1.0, 2.0), -1.0),
        Err(Undefined::DomainError)
    );
    assert_eq!(binomial(3, 2, 0.5), Err(Undefined::DomainError));
    let urn = Urn {
        marked: 1,
        unmarked: 1,
        drawn: 3,
    };
    assert_eq!(hypergeometric(0, urn), Err(Undefined::DomainError));
}

#[test]
fn the_ends_of_the_line_are_certain() {
    for distribution in [
        Distribution::Normal,
        Distribution::StudentT { df: 3.0 },
        Distribution::F { df1: 2.0, df2: 5.0 },
        Distribution::ChiSquared { df: 4.0 },
    ] {
        let end = distribution.tails(f64::INFINITY).unwrap();
        assert_eq!((end.lower, end.upper, end.ln_lower), (1.0, 0.0, 0.0));
        assert_eq!(end.ln_upper, f64::NEG_INFINITY);
        let start = distribution.tails(f64::NEG_INFINITY).unwrap();
        assert_eq!((start.lower, start.upper), (0.0, 1.0));
        assert_eq!(distribution.quantile(Tail::Upper(0.0)), Ok(f64::INFINITY));
    }
}

#[test]
fn tails_go_on_where_no_float_is_left() {
    let far = Distribution::StudentT { df: 3.0 }.tails(1e200).unwrap();
    // t³ falls as the cube: ln P(1e200) = ln P(1e100) − 3 ln 1e100.
    let near_it = Distribution::StudentT { df: 3.0 }.tails(1e100).unwrap();
    assert!(near(
        far.ln_upper,
        near_it.ln_upper - 3.0 * libm::log(1e100),
        1e-13
    ));
    assert_eq!(far.upper, 0.0);
    let normal = Distribution::Normal.tails(-1e6).unwrap();
    assert!(near(normal.ln_lower, -5e11, 1e-9));
}

#[test]
fn the_smaller_tail_has_its_digits_where_nearly_all_is_on_one_side() {
    // To 60 digits.
    let found = Distribution::F {
        df1: 0.011_626_901_431_626_587,
        df2: 74_401.849_780_670_35,
    }
    .tails(0.039_517_831_390_979_3)
    .unwrap();
    assert!(
        near(found.upper, 0.044_367_634_695_656_195, 1e-12),
        "{found:?}"
    );
}

#[test]
fn a_hypergeometric_tail_is_the_sum_of_its_masses() {
    let urn = Urn {
        marked: 20,
        unmarked: 30,
        drawn: 15,
    };
    let mass = |k| hypergeometric_mass(k, urn).unwrap();
    // C(20,5) C(30,10) / C(50,15).
    assert!(near(
        mass(5),
        15_504.0 * 30_045_015.0 / 2_250_829_575_120.0,
        1e-13
    ));
    for k in 0..15 {
        let tails = hypergeometric(k, urn).unwrap();
        let lower: f64 = (0..=k).map(mass).sum();
        let upper: f64 = (k + 1..=15).rev().map(mass).sum();
        assert!(near(tails.lower, lower, 1e-12) && near(tails.upper, upper, 1e-12));
    }
}

/// Degrees of freedom and shapes over many magnitudes.
fn shape() -> impl Strategy<Value = f64> {
    (-2.0..6.0_f64).prop_map(libm::exp10)
}

/// A probability over many magnitudes, as the tail that is known.
fn tail() -> impl Strategy<Value = Tail> {
    (-280.0..-0.01_f64, any::<bool>()).prop_map(|(power, lower)| {
        let p = libm::exp10(power);
        if lower {
            Tail::Lower(p)
        } else {
            Tail::Upper(p)
        }
    })
}

fn continuous() -> impl Strategy<Value = Distribution> {
    prop_oneof![
        Just(Distribution::Normal),
        shape().prop_map(|df| Distribution::StudentT { df }),
        shape().prop_map(|df| Distribution::ChiSquared { df }),
        (shape(), shape()).prop_map(|(df1, df2)| Distribution::F { df1, df2 }),
        (shape(), shape()).prop_map(|(a, b)| Distribution::Beta { a, b }),
    ]
}

proptest! {
    #[test]
    fn a_quantile_has_its_tail(distribution in continuous(), tail in tail()) {
        let x = distribution.quantile(tail).unwrap();
        prop_assume!(x.is_normal() && x < 1.0 - 1e-5 || x > 1.0 + 1e-5 && x.is_finite());
        let tails = distribution.tails(x).unwrap();
        let (found, ln) = match tail {
            Tail::Lower(_) => (tails.lower, tails.ln_lower),
            Tail::Upper(_) => (tails.upper, tails.ln_upper),
        };
        let p = tail.probability();
        // A rounded x moves the tail by the slope of its logarithm; near 1 the beta distribution has none left.
        prop_assert!(near(found, p, 1e-8), "{distribution:?} {tail:?} {x}: {found}");
        prop_assert!(near(ln, libm::log(p), 1e-8));
    }

    #[test]
    fn tails_complement_each_other(distribution in continuous(), x in -1e3..1e3_f64) {
        let tails = distribution.tails(x).unwrap();
        prop_assert!((tails.lower + tails.upper - 1.0).abs() < 1e-15);
        prop_assert!(tails.lower >= 0.0 && tails.upper >= 0.0);
        prop_assert!(tails.ln_lower <= 0.0 && tails.ln_upper <= 0.0);
    }

    #[test]
    fn student_is_symmetric_and_squares_to_fisher(df in shape(), t in 0.0..60.0_f64) {
        let at = student(t, df);
        prop_assert_eq!(student(-t, df), at.swapped());
        let squared = fisher(t * t, 1.0, df);
        prop_assert!(near(squared.ln_upper, at.ln_upper + std::f64::consts::LN_2, 1e-11) || t < 1e-3);
    }

    #[test]
    fn a_noncentral_tail_falls_with_its_point(df in 1.0..500.0_f64, shift in -8.0..8.0_f64, x in -9.0..9.0_f64) {
        let here = noncentral_t(x, df, shift).unwrap();
        let right = noncentral_t(x + 0.25, df, shift).unwrap();
        prop_assert!(right.upper <= here.upper * (1.0 + 1e-9));
        prop_assert!((here.lower + here.upper - 1.0).abs() < 1e-10);
    }
}
