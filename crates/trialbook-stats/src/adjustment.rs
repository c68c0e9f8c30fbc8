//! Multiple comparisons: p-values adjusted for the number of questions asked together.
//!
//! Not here: which questions are a family; the caller says so by what it passes, and leaves out tests that are
//! undefined. Invariant: an adjusted p is never below the raw one, never above 1, and keeps the order of the raw ones.

use crate::ranking::sorted_places;
use crate::undefined::Undefined;

/// How p-values are adjusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Correction {
    /// m p (Bonferroni 1936): the family-wise error rate, under any dependence.
    Bonferroni,
    /// 1 − (1 − p)^m (Šidák 1967): the family-wise error rate of independent tests.
    Sidak,
    /// Step-down Bonferroni (Holm 1979): the family-wise error rate, under any dependence; never weaker than
    /// Bonferroni's.
    Holm,
    /// Step-down Šidák.
    HolmSidak,
    /// Step-up Bonferroni (Hochberg 1988): the family-wise error rate of independent or positively dependent tests.
    Hochberg,
    /// Closed Simes test (Hommel 1988, in the form of Wright 1992): never weaker than Hochberg's.
    Hommel,
    /// The false discovery rate of independent or positively dependent tests (Benjamini & Hochberg 1995).
    BenjaminiHochberg,
    /// The false discovery rate under any dependence (Benjamini & Yekutieli 2001).
    BenjaminiYekutieli,
}

impl Correction {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Bonferroni,
        Self::Sidak,
        Self::Holm,
        Self::HolmSidak,
        Self::Hochberg,
        Self::Hommel,
        Self::BenjaminiHochberg,
        Self::BenjaminiYekutieli,
    ];

    /// The word that commands, files and results use.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Bonferroni => "bonferroni",
            Self::Sidak => "sidak",
            Self::Holm => "holm",
            Self::HolmSidak => "holm_sidak",
            Self::Hochberg => "hochberg",
            Self::Hommel => "hommel",
            Self::BenjaminiHochberg => "bh",
            Self::BenjaminiYekutieli => "by",
        }
    }

    /// The correction of a word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.word() == word)
    }
}

/// Adjusts the p-values of a family; the answer is in the order of the input.
///
/// # Errors
/// [`Undefined::NonFiniteInput`], [`Undefined::DomainError`] where a p is not in 0..=1, [`Undefined::EmptyInput`].
pub fn adjust(p: &[f64], correction: Correction) -> Result<Vec<f64>, Undefined> {
    if p.iter().any(|p| !p.is_finite()) {
        return Err(Undefined::NonFiniteInput);
    }
    if p.iter().any(|p| !(0.0..=1.0).contains(p)) {
        return Err(Undefined::DomainError);
    }
    adjusted(p, correction, Scale::Plain)
}

/// Adjusts p-values that are given by their logarithms, also where they are below every float; so is the answer.
///
/// # Errors
/// [`Undefined::NonFiniteInput`] for NaN, [`Undefined::DomainError`] for a positive logarithm,
/// [`Undefined::EmptyInput`]. Minus infinity is the logarithm of 0.
pub fn adjust_ln(ln_p: &[f64], correction: Correction) -> Result<Vec<f64>, Undefined> {
    if ln_p.iter().any(|ln| ln.is_nan()) {
        return Err(Undefined::NonFiniteInput);
    }
    if ln_p.iter().any(|&ln| ln > 0.0) {
        return Err(Undefined::DomainError);
    }
    adjusted(ln_p, correction, Scale::Logarithm)
}

/// Whether numbers are probabilities or their logarithms.
#[derive(Debug, Clone, Copy)]
enum Scale {
    Plain,
    Logarithm,
}

impl Scale {
    /// Certainty.
    const fn one(self) -> f64 {
        match self {
            Self::Plain => 1.0,
            Self::Logarithm => 0.0,
        }
    }

    /// The p of `factor` tests added up.
    fn times(self, p: f64, factor: f64) -> f64 {
        match self {
            Self::Plain => p * factor,
            Self::Logarithm => p + libm::log(factor),
        }
    }

    /// 1 − (1 − p)^m.
    fn at_least_one(self, p: f64, m: f64) -> f64 {
        match self {
            Self::Plain if p >= 1.0 => 1.0,
            Self::Plain => -libm::expm1(m * libm::log1p(-p)),
            Self::Logarithm if p >= 0.0 => 0.0,
            Self::Logarithm => {
                /// Below this the power's second term is under the last digit.
                const TINY: f64 = -80.0;
                if p < TINY {
                    p + libm::log(m)
                } else {
                    libm::log(-libm::expm1(m * libm::log1p(-libm::exp(p))))
                }
            }
        }
    }
}

fn adjusted(p: &[f64], correction: Correction, scale: Scale) -> Result<Vec<f64>, Undefined> {
    if p.is_empty() {
        return Err(Undefined::EmptyInput);
    }
    let m = p.len() as f64;
    let single = |adjust: &dyn Fn(f64) -> f64| {
        p.iter()
            .map(|&p| adjust(p).clamp(p, scale.one().max(p)))
            .collect()
    };
    Ok(match correction {
        Correction::Bonferroni => single(&|p| scale.times(p, m)),
        Correction::Sidak => single(&|p| scale.at_least_one(p, m)),
        Correction::Holm => holm(p, scale),
        Correction::HolmSidak => {
            Family::of(p).step_down(scale, p.len(), |p, left| scale.at_least_one(p, left))
        }
        Correction::Hochberg => {
            Family::of(p).step_up(scale, |p, rank| scale.times(p, m + 1.0 - rank))
        }
        Correction::Hommel => Family::of(p).hommel(scale),
        Correction::BenjaminiHochberg => {
            Family::of(p).step_up(scale, |p, rank| scale.times(p, m / rank))
        }
        Correction::BenjaminiYekutieli => {
            let harmonic: f64 = (1..=p.len()).rev().map(|at| 1.0 / at as f64).sum();
            Family::of(p).step_up(scale, |p, rank| scale.times(p, m * harmonic / rank))
        }
    })
}

/// Holm's adjustment. Where at most half of a family lies below 2/m, whatever does not is 1: the smallest of it is
/// multiplied by m/2 or more. Only the others have to be sorted.
fn holm(p: &[f64], scale: Scale) -> Vec<f64> {
    /// A little above 2, so that rounding does not bring a product below 1.
    const TWICE: f64 = 2.0 + 1e-6;
    let m = p.len();
    let bound = match scale {
        Scale::Plain => TWICE / m as f64,
        Scale::Logarithm => libm::log(TWICE) - libm::log(m as f64),
    };
    let below: Vec<usize> = (0..m).filter(|&at| p[at] < bound).collect();
    if below.len() > m / 2 {
        return Family::of(p).step_down(scale, m, |p, left| scale.times(p, left));
    }
    let small: Vec<f64> = below.iter().map(|&at| p[at]).collect();
    let small = Family::of(&small).step_down(scale, m, |p, left| scale.times(p, left));
    let mut adjusted = vec![scale.one(); m];
    for (at, p) in below.into_iter().zip(small) {
        adjusted[at] = p;
    }
    adjusted
}

/// A family's p-values in increasing order, and whose they are.
struct Family {
    sorted: Vec<f64>,
    order: Vec<u32>,
}

impl Family {
    fn of(p: &[f64]) -> Self {
        let keyed = sorted_places(p);
        let order: Vec<u32> = keyed.into_iter().map(|(_, at)| at).collect();
        let sorted = order.iter().map(|&at| p[at as usize]).collect();
        Self { sorted, order }
    }

    /// Back in the order of the input.
    fn restored(&self, adjusted: &[f64], scale: Scale) -> Vec<f64> {
        let mut restored = vec![0.0; adjusted.len()];
        for (&adjusted, &at) in adjusted.iter().zip(&self.order) {
            restored[at as usize] = adjusted.min(scale.one());
        }
        restored
    }

    /// From the smallest p on, each as large as the one before; `adjust` is given how many of `m` are left.
    fn step_down(&self, scale: Scale, m: usize, adjust: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        let mut largest = f64::NEG_INFINITY;
        let adjusted: Vec<f64> = self
            .sorted
            .iter()
            .enumerate()
            .map(|(at, &p)| {
                // Comparisons instead of `max`, whose care for NaN would be waited for in every step.
                let adjusted = adjust(p, (m - at) as f64);
                let adjusted = if adjusted < p { p } else { adjusted };
                if adjusted > largest {
                    largest = adjusted;
                }
                largest
            })
            .collect();
        self.restored(&adjusted, scale)
    }

    /// From the largest p on, each as small as the one before; `adjust` is given the rank.
    fn step_up(&self, scale: Scale, adjust: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        let mut adjusted = self.sorted.clone();
        let mut smallest = scale.one();
        for (at, p) in adjusted.iter_mut().enumerate().rev() {
            smallest = adjust(*p, (at + 1) as f64).min(smallest).max(*p);
            *p = smallest;
        }
        self.restored(&adjusted, scale)
    }

    /// Wright's algorithm: for every size j of a hypothesis of the closed family, Simes' p of the j largest.
    fn hommel(&self, scale: Scale) -> Vec<f64> {
        let p = &self.sorted;
        let m = p.len();
        let simes = |of: &[f64], factor: usize, first: usize| {
            of.iter()
                .enumerate()
                .map(|(at, &p)| scale.times(p, factor as f64 / (first + at) as f64))
                .fold(f64::INFINITY, f64::min)
        };
        let mut adjusted = vec![simes(p, m, 1); m];
        for j in (2..m).rev() {
            let split = m - j + 1;
            let upper = simes(&p[split..], j, 2);
            for (adjusted, &p) in adjusted.iter_mut().zip(&p[..split]) {
                *adjusted = adjusted.max(scale.times(p, j as f64).min(upper));
            }
            let last = scale.times(p[m - j], j as f64).min(upper);
            for adjusted in &mut adjusted[split..] {
                *adjusted = adjusted.max(last);
            }
        }
        for (adjusted, &p) in adjusted.iter_mut().zip(p) {
            *adjusted = adjusted.max(p);
        }
        self.restored(&adjusted, scale)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn family() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(prop_oneof![0.0..=1.0_f64, 0.0..1e-6_f64, Just(0.5)], 1..12)
    }

    proptest! {
        #[test]
        fn adjusted_is_between_raw_and_one_and_keeps_the_order(p in family()) {
            for correction in Correction::ALL {
                let adjusted = adjust(&p, correction).unwrap();
                for (raw, adjusted) in p.iter().zip(&adjusted) {
                    prop_assert!(raw <= adjusted && *adjusted <= 1.0, "{correction:?}");
                }
                for (i, a) in p.iter().enumerate() {
                    for (j, b) in p.iter().enumerate() {
                        prop_assert!(a > b || adjusted[i] <= adjusted[j], "{correction:?}");
                    }
                }
            }
        }

        #[test]
        fn the_order_of_the_family_does_not_matter(p in family(), by in 0_usize..12) {
            let by = by % p.len();
            for correction in Correction::ALL {
                let mut turned = p.clone();
                turned.rotate_left(by);
                let mut adjusted = adjust(&p, correction).unwrap();
                adjusted.rotate_left(by);
                prop_assert_eq!(adjust(&turned, correction).unwrap(), adjusted, "{:?}", correction);
            }
        }

        #[test]
        fn holm_without_sorting_is_holm(p in prop::collection::vec(prop_oneof![0.0..=1.0_f64, 0.0..0.05_f64], 1..60)) {
            let sorted = Family::of(&p).step_down(Scale::Plain, p.len(), |p, left| Scale::Plain.times(p, left));
            prop_assert_eq!(adjust(&p, Correction::Holm).unwrap(), sorted);
        }

        #[test]
        fn logarithms_are_adjusted_alike(p in prop::collection::vec(1e-12..=1.0_f64, 1..12)) {
            let logarithms: Vec<f64> = p.iter().map(|p| p.ln()).collect();
            for correction in Correction::ALL {
                let plain = adjust(&p, correction).unwrap();
                let logarithms = adjust_ln(&logarithms, correction).unwrap();
                for (plain, logarithm) in plain.iter().zip(logarithms) {
                    prop_assert!((plain.ln() - logarithm).abs() < 1e-9, "{correction:?}");
                }
            }
        }

        #[test]
        fn hommel_is_closed_testing_with_simes(p in prop::collection::vec(0.0..=1.0_f64, 1..7)) {
            let adjusted = adjust(&p, Correction::Hommel).unwrap();
            for (at, adjusted) in adjusted.iter().enumerate() {
                let mut largest = 0.0_f64;
                for subset in 0_u32..1 << p.len() {
                    if subset & 1 << at == 0 {
                        continue;
                    }
                    let mut of: Vec<f64> = (0..p.len()).filter(|i| subset & 1 << i != 0).map(|i| p[i]).collect();
                    of.sort_by(f64::total_cmp);
                    let size = of.len() as f64;
                    let simes = of.iter().zip(1..).map(|(p, rank)| p * size / f64::from(rank));
                    largest = largest.max(simes.fold(1.0, f64::min));
                }
                prop_assert!((largest - adjusted).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn logarithms_below_every_float_are_adjusted() {
        let adjusted = adjust_ln(&[-5000.0, -1000.0], Correction::Holm).unwrap();
        assert_eq!(adjusted, [-5000.0 + 2.0_f64.ln(), -1000.0]);
        let adjusted = adjust_ln(&[f64::NEG_INFINITY, 0.0], Correction::Sidak).unwrap();
        assert_eq!(adjusted, [f64::NEG_INFINITY, 0.0]);
    }

    #[test]
    fn bad_families_are_refused() {
        assert_eq!(
            adjust(&[0.1, f64::NAN, 2.0], Correction::Holm),
            Err(Undefined::NonFiniteInput)
        );
        assert_eq!(
            adjust(&[0.1, 1.5], Correction::Holm),
            Err(Undefined::DomainError)
        );
        assert_eq!(adjust(&[], Correction::Holm), Err(Undefined::EmptyInput));
        assert_eq!(
            adjust_ln(&[0.1], Correction::Holm),
            Err(Undefined::DomainError)
        );
    }

    #[test]
    fn words_name_corrections() {
        for correction in Correction::ALL {
            assert_eq!(Correction::of_word(correction.word()), Some(correction));
        }
        assert_eq!(Correction::of_word("tukey"), None);
    }
}
