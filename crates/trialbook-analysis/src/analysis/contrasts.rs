//! Each arm against the baseline: the difference with its interval, its effect, its test, what more trials would tell.
//!
//! Not here: adjusting p-values ([`super::family`]). Invariant: a test that cannot be made gives its reason; pairs are
//! values with an equal key, repeats of it averaged first, and those without a partner are counted.

use std::collections::BTreeMap;

use trialbook_stats::{
    Description, Level, PValue, Rate, Shift, TTest, Undefined, describe, kruskal_wallis,
    mann_whitney, one_way_anova, paired_effect_size, paired_shift, paired_t_test, quantile, shift,
    signed_rank, student_t_test, superiority, welch_anova, welch_t_test,
};

use super::Request;
use super::collecting::{Collected, Values};
use super::rates::{self, are_rates};
use super::{effects, resampled};
use crate::finding::{
    Contrast, DIFFERENCE_OF_MEANS, MetricFinding, Omnibus, Outcome, Pairs, Span, Test, Tested,
};

/// Adds the contrasts of all metrics.
pub(super) fn add(
    metrics: &mut [MetricFinding],
    collected: &Collected,
    request: &Request,
    baseline: usize,
) {
    for (metric, values) in metrics.iter_mut().zip(&collected.values) {
        metric.omnibus = omnibus(values, metric, request.test);
        for (at, arm) in collected.arms.arms.iter().enumerate() {
            if at == baseline {
                continue;
            }
            let mut sides = Sides::of(collected, request, (&values[at], &values[baseline]));
            sides.find_rates(metric);
            metric.contrasts.push(Contrast {
                arm: arm.name.clone(),
                baseline: collected.arms.arms[baseline].name.clone(),
                n: [sides.arm.len() as u64, sides.baseline.len() as u64],
                outcome: sides.outcome(),
                correlation: sides.correlation(),
                pairs: sides.pairs,
            });
        }
    }
}

/// Whether the arms differ at all, where there are more than two: by the analysis of variance that goes with the test
/// of two, of shares by χ².
fn omnibus(values: &[Values], metric: &MetricFinding, test: Test) -> Option<Omnibus> {
    if values.len() < 3 {
        return None;
    }
    let groups: Vec<&[f64]> = values.iter().map(|values| &values.finite[..]).collect();
    if metric.rate {
        let rates: Vec<Rate> = groups.iter().map(|values| rates::rate(values)).collect();
        return Some(rates::omnibus(&rates));
    }
    let found = match test {
        Test::Auto | Test::Welch | Test::Paired => of_means(&groups),
        Test::Student => of_equal_variances(&groups),
        Test::MannWhitney | Test::Wilcoxon => of_ranks(&groups),
    };
    Some(found.unwrap_or_else(|reason| Omnibus::CannotTest {
        cannot_test: reason.word(),
        reason: reason.to_string(),
    }))
}

fn of_means(groups: &[&[f64]]) -> Result<Omnibus, Undefined> {
    let found = welch_anova(groups)?;
    // The shares of variance take one variance for all; the test does not.
    let shares = one_way_anova(groups).ok();
    Ok(Omnibus::Tested {
        test: "Welch's ANOVA",
        statistic: found.statistic,
        df: vec![found.df_between, found.df_within],
        p: found.p.p,
        ln_p: found.p.ln_p,
        eta_squared: shares.map(|it| it.eta_squared),
        omega_squared: shares.map(|it| it.omega_squared),
    })
}

fn of_equal_variances(groups: &[&[f64]]) -> Result<Omnibus, Undefined> {
    let found = one_way_anova(groups)?;
    Ok(Omnibus::Tested {
        test: "one-way ANOVA",
        statistic: found.statistic,
        df: vec![found.df_between, found.df_within],
        p: found.p.p,
        ln_p: found.p.ln_p,
        eta_squared: Some(found.eta_squared),
        omega_squared: Some(found.omega_squared),
    })
}

fn of_ranks(groups: &[&[f64]]) -> Result<Omnibus, Undefined> {
    let found = kruskal_wallis(groups)?;
    Ok(Omnibus::Tested {
        test: "Kruskal-Wallis test",
        statistic: found.statistic,
        df: vec![found.df as f64],
        p: found.p.p,
        ln_p: found.p.ln_p,
        eta_squared: None,
        omega_squared: None,
    })
}

/// The values of an arm and of the baseline that are held against each other.
struct Sides {
    test: Test,
    alpha: f64,
    level: Level,
    /// Whether shares are compared.
    rates: bool,
    arm: Vec<f64>,
    baseline: Vec<f64>,
    pairs: Option<Pairs>,
}

impl Sides {
    fn of(collected: &Collected, request: &Request, (arm, baseline): (&Values, &Values)) -> Self {
        let test = match (request.test, &collected.pairing) {
            (Test::Auto, Some(_)) => Test::Paired,
            (Test::Auto, None) => Test::Welch,
            (asked, _) => asked,
        };
        match &collected.pairing {
            Some(pairing) if test.is_paired() => {
                let mean = |values: &Vec<f64>| describe(values).map(|it| it.mean).ok();
                let means = |of: &Values| -> BTreeMap<String, f64> {
                    let pairs = of.by_pair.iter();
                    pairs
                        .filter_map(|(key, values)| Some((key.clone(), mean(values)?)))
                        .collect()
                };
                let (ours, theirs) = (means(arm), means(baseline));
                let both: Vec<(f64, f64)> = ours
                    .iter()
                    .filter_map(|(key, value)| Some((*value, *theirs.get(key)?)))
                    .collect();
                let matched = |of: &Values, other: &BTreeMap<String, f64>| -> usize {
                    let pairs = of
                        .by_pair
                        .iter()
                        .filter(|(key, _)| other.contains_key(*key));
                    pairs.map(|(_, values)| values.len()).sum()
                };
                let used = matched(arm, &theirs) + matched(baseline, &ours);
                let all = arm.finite.len() + baseline.finite.len();
                Self {
                    test,
                    alpha: request.alpha,
                    level: collected.level,
                    rates: false,
                    arm: both.iter().map(|(value, _)| *value).collect(),
                    baseline: both.iter().map(|(_, value)| *value).collect(),
                    pairs: Some(Pairs {
                        by: pairing.key.clone(),
                        n: both.len() as u64,
                        unmatched: (all - used) as u64,
                    }),
                }
            }
            Some(_) | None => Self {
                test,
                alpha: request.alpha,
                level: collected.level,
                rates: false,
                arm: arm.finite.clone(),
                baseline: baseline.finite.clone(),
                pairs: None,
            },
        }
    }

    /// Whether the values are shares; a pair whose repeats were averaged is none.
    fn find_rates(&mut self, metric: &MetricFinding) {
        self.rates = metric.rate && are_rates(&self.arm) && are_rates(&self.baseline);
    }

    fn outcome(&self) -> Outcome {
        match self.tested() {
            Ok(tested) => Outcome::Tested(Box::new(tested)),
            Err(reason) => Outcome::CannotTest {
                cannot_test: reason.word(),
                reason: self.reason(reason),
                difference: self.difference(),
                a12: self.a12(),
            },
        }
    }

    /// Why there is no test, of what was compared: the differences, where there are pairs.
    fn reason(&self, reason: Undefined) -> String {
        match &self.pairs {
            Some(pairs) if pairs.n == 0 => format!("the arms have no {} in common", pairs.by),
            Some(_) if reason == Undefined::ZeroVariance => {
                "the differences of the pairs do not vary".to_owned()
            }
            Some(_) | None => reason.to_string(),
        }
    }

    fn described(&self) -> Option<(Description, Description)> {
        Some((describe(&self.arm).ok()?, describe(&self.baseline).ok()?))
    }

    fn difference(&self) -> Option<f64> {
        let (arm, baseline) = self.described()?;
        Some(arm.mean - baseline.mean).filter(|difference| difference.is_finite())
    }

    fn tested(&self) -> Result<Tested, Undefined> {
        let (x, y) = (&self.arm, &self.baseline);
        if self.rates {
            let found = if self.pairs.is_some() {
                rates::paired(x, y, self.level)?
            } else {
                let rates = [rates::rate(x), rates::rate(y)];
                rates::independent(rates, (self.alpha, self.level))?
            };
            return Ok(self.of_rates(found));
        }
        match self.test {
            Test::Auto | Test::Welch => Ok(self.of_t(&welch_t_test(x, y, self.level)?)),
            Test::Student => Ok(self.of_t(&student_t_test(x, y, self.level)?)),
            Test::Paired => Ok(self.of_t(&paired_t_test(x, y, self.level)?)),
            Test::MannWhitney => self.mann_whitney(),
            Test::Wilcoxon => self.wilcoxon(),
        }
    }

    fn of_rates(&self, found: rates::Compared) -> Tested {
        let tested = Tested::from(found);
        Tested {
            relative: self.relative(tested.difference),
            a12: self.a12(),
            ..tested
        }
    }

    fn of_t(&self, test: &TTest) -> Tested {
        let sides = (&self.arm[..], &self.baseline[..]);
        let (effect, power) = effects::of_means(self.test, (self.alpha, self.level), sides);
        Tested {
            interval: Some(Span::of(test.interval, "t")),
            bootstrap_t: match self.pairs {
                Some(_) => resampled::of_mean(&self.differences(), self.level),
                None => resampled::of_difference(sides, self.level),
            },
            df: Some(test.df),
            effect,
            power,
            glass_delta: self
                .pairs
                .is_none()
                .then(|| effects::glass(sides))
                .flatten(),
            p_sign_flip: self
                .pairs
                .is_some()
                .then(|| effects::sign_flip(sides))
                .flatten(),
            ..self.base(
                (test.variant.name(), DIFFERENCE_OF_MEANS),
                test.estimate,
                (test.statistic, test.p.two_sided),
            )
        }
    }

    fn mann_whitney(&self) -> Result<Tested, Undefined> {
        let found = mann_whitney(&self.arm, &self.baseline)?;
        let (variant, p) = found.p.preferred();
        let moved = shift(&self.arm, &self.baseline, self.level)?;
        let medians = quantile(&self.arm, 0.5)? - quantile(&self.baseline, 0.5)?;
        Ok(Tested {
            variant: Some(variant.word()),
            interval: of_shift(&moved),
            effect: Some(effects::of_ranks(found.rank_biserial)),
            medians_disagree: found.rank_biserial * medians < 0.0,
            p_brunner_munzel: effects::brunner_munzel_p((&self.arm, &self.baseline)),
            ..self.base(
                ("Mann-Whitney U test", "shift"),
                moved.estimate,
                (found.u1, p.two_sided),
            )
        })
    }

    fn wilcoxon(&self) -> Result<Tested, Undefined> {
        let differences = self.differences();
        let found = signed_rank(&differences)?.dropped;
        let (variant, p) = found.p.preferred();
        let moved = paired_shift(&differences, self.level)?;
        Ok(Tested {
            variant: Some(variant.word()),
            interval: of_shift(&moved),
            effect: Some(effects::of_ranks(found.rank_biserial)),
            medians_disagree: found.rank_biserial * quantile(&differences, 0.5)? < 0.0,
            ..self.base(
                ("Wilcoxon signed-rank test", "shift of the pairs"),
                moved.estimate,
                (found.r_plus, p.two_sided),
            )
        })
    }

    fn differences(&self) -> Vec<f64> {
        let pairs = self.arm.iter().zip(&self.baseline);
        pairs.map(|(one, other)| one - other).collect()
    }

    fn base(
        &self,
        words: (&'static str, &'static str),
        difference: f64,
        (statistic, p): (f64, PValue),
    ) -> Tested {
        Tested {
            relative: self.relative(difference),
            a12: self.a12(),
            ..Tested::of(words, difference, (Some(statistic), p))
        }
    }

    fn a12(&self) -> Option<f64> {
        let independent = self.pairs.is_none();
        let found = independent.then(|| superiority(&self.arm, &self.baseline))?;
        found.ok().map(|it| it.a12)
    }

    /// The difference as a share of what it is a difference of: the baseline's median or mean.
    fn relative(&self, difference: f64) -> Option<f64> {
        let whole = match self.test {
            Test::MannWhitney | Test::Wilcoxon => quantile(&self.baseline, 0.5).ok()?,
            Test::Auto | Test::Welch | Test::Student | Test::Paired => self.described()?.1.mean,
        };
        let share = difference / whole.abs();
        (whole != 0.0 && share.is_finite()).then_some(share)
    }

    fn correlation(&self) -> Option<f64> {
        self.pairs.as_ref()?;
        let found = paired_effect_size(&self.arm, &self.baseline, Level::NINETY_FIVE);
        found.ok()?.correlation
    }
}

fn of_shift(found: &Shift) -> Option<Span> {
    let method = if found.exact {
        "Hodges-Lehmann, exact"
    } else {
        "Hodges-Lehmann, normal"
    };
    found.interval.map(|interval| Span::of(interval, method))
}
