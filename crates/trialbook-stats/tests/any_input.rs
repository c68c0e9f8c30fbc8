//! Whatever the numbers: a value or a reason, never a panic, never NaN, p-values and shares inside 0 and 1.

use proptest::prelude::*;
use trialbook_stats::{
    Correction, Draws, EvalPlan, Interval, Level, PValue, PValues, Rate, Statistic, adjust,
    adjust_ln, bootstrap, bootstrap_clusters, bootstrap_difference, bootstrap_exact,
    bootstrap_ratio, bootstrap_t, bootstrap_t_difference, brunner_munzel, chi_squared_fit,
    chi_squared_independence, eval_sample_size, fisher_exact, friedman, intervals_from_replicates,
    kendall, kolmogorov_smirnov, kruskal_wallis, mann_whitney, mcnemar, mean_error, paired_error,
    pass_rates, pearson, permute_difference, permute_signs, quantile_interval, ratio_of_means,
    repeated_error, sign_test, signed_rank, spearman, two_proportions,
};

const LEVEL: Level = Level::NINETY_FIVE;
const DRAWS: Draws = Draws::new(1, 40);

/// Numbers that break formulas: of all magnitudes, equal, neighbouring, not finite.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => any::<f64>().prop_filter("finite", |x| x.is_finite()),
        6 => (-3_i8..4).prop_map(f64::from),
        2 => Just(f64::MAX),
        2 => Just(-f64::MAX),
        2 => Just(f64::MIN_POSITIVE / 4.0),
        2 => Just(-0.0),
        2 => Just(0.1 + 0.2),
        2 => Just(1e16),
    ]
}

fn sample() -> impl Strategy<Value = Vec<f64>> {
    let with_any = prop_oneof![30 => number(), 1 => any::<f64>()];
    prop_oneof![
        prop::collection::vec(number(), 0..9),
        prop::collection::vec(with_any, 0..9),
        (number(), 0_usize..5).prop_map(|(value, n)| vec![value; n]),
    ]
}

fn is_p(p: PValue) {
    assert!((0.0..=1.0).contains(&p.p), "{p:?}");
    assert!(p.ln_p <= 0.0, "{p:?}");
}

fn are_p(p: PValues) {
    is_p(p.two_sided);
    is_p(p.less);
    is_p(p.greater);
}

fn is_interval(interval: Interval) {
    assert!(interval.low <= interval.high, "{interval:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn ranks(x in sample(), y in sample(), z in sample()) {
        if let Ok(found) = mann_whitney(&x, &y) {
            are_p(found.p.normal.p);
            are_p(found.p.normal_corrected.p);
            are_p(found.p.preferred().1);
            assert!((0.0..=1.0).contains(&found.a12));
        }
        if let Ok(found) = signed_rank(&x) {
            are_p(found.dropped.p.preferred().1);
            are_p(found.pratt.p.preferred().1);
            are_p(found.pratt.p.normal.p);
        }
        if let Ok(found) = kruskal_wallis(&[&x, &y, &z]) {
            is_p(found.p);
        }
        let rows: Vec<Vec<f64>> = x.iter().zip(&y).zip(&z).map(|((&a, &b), &c)| vec![a, b, c]).collect();
        if let Ok(found) = friedman(&rows) {
            is_p(found.p);
            assert!(found.kendall_w <= 1.0 + 1e-12);
            if let Ok(f) = found.iman_davenport {
                is_p(f.p);
            }
        }
        if let Ok(found) = brunner_munzel(&x, &y) {
            are_p(found.p);
            assert!((0.0..=1.0).contains(&found.first_smaller));
        }
        if let Ok(found) = sign_test(&x) {
            are_p(found.p);
        }
        if let Ok(found) = kolmogorov_smirnov(&x, &y) {
            is_p(found.approximate);
            is_p(found.exact.unwrap());
        }
    }

    #[test]
    fn correlations(pairs in prop::collection::vec((number(), number()), 0..9), extra in number()) {
        let (mut x, y): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        if let Ok(found) = pearson(&x, &y, LEVEL) {
            assert!((-1.0..=1.0).contains(&found.r), "{found:?}");
            if let Some(test) = found.test {
                are_p(test.p);
            }
            found.interval.into_iter().for_each(is_interval);
        }
        if let Ok(found) = spearman(&x, &y, LEVEL) {
            assert!((-1.0..=1.0).contains(&found.rho));
            found.preferred().into_iter().for_each(are_p);
            found.interval.into_iter().for_each(is_interval);
        }
        if let Ok(found) = kendall(&x, &y) {
            assert!((-1.0 - 1e-12..=1.0 + 1e-12).contains(&found.tau_b));
            are_p(found.preferred());
        }
        x.push(extra);
        assert!(pearson(&x, &y, LEVEL).is_err());
    }

    #[test]
    fn resamples(x in sample(), y in sample(), part in prop_oneof![-0.5..1.5_f64, Just(f64::NAN)]) {
        for statistic in [
            Statistic::Mean,
            Statistic::Sd,
            Statistic::Median,
            Statistic::Quantile(part),
            Statistic::TrimmedMean(part),
        ] {
            if let Ok(found) = bootstrap(&x, statistic, LEVEL, DRAWS) {
                assert!(!found.estimate.is_nan());
                is_interval(found.interval());
                is_interval(found.intervals.percentile);
            }
            if let Ok(found) = bootstrap_difference((&x, &y), statistic, LEVEL, DRAWS) {
                is_interval(found.interval());
            }
            if x.len() < 5 && let Ok(found) = bootstrap_exact(&x, statistic, LEVEL) {
                is_interval(found.intervals.percentile);
            }
            let labels: Vec<usize> = (0..x.len()).map(|at| at / 2).collect();
            if let Ok(found) = bootstrap_clusters(&x, &labels, statistic, LEVEL, DRAWS) {
                is_interval(found.interval());
            }
        }
        if let Ok(found) = bootstrap_ratio(&x, &y, LEVEL, DRAWS) {
            is_interval(found.interval());
        }
        if let Ok(found) = bootstrap_t(&x, LEVEL, DRAWS) {
            is_interval(found.interval);
        }
        if let Ok(found) = bootstrap_t_difference((&x, &y), LEVEL, DRAWS) {
            is_interval(found.interval);
        }
        if let Ok(found) = intervals_from_replicates(part, &x, &y, LEVEL) {
            is_interval(found.percentile);
        }
        if let Ok(found) = permute_difference(&x, &y, DRAWS) {
            are_p(found.p);
            is_p(found.p_doubled);
        }
        if let Ok(found) = permute_signs(&x, DRAWS) {
            are_p(found.p);
        }
    }

    #[test]
    fn evaluations(x in sample(), y in sample(), p in prop_oneof![-0.5..1.5_f64, any::<f64>()], many in any::<[u64; 3]>()) {
        let labels: Vec<u8> = (0..x.len()).map(|at| (at / 3) as u8).collect();
        if let Ok(found) = mean_error(&x, Some(&labels), LEVEL) {
            let clustered = found.clustered.unwrap();
            assert!(!found.se.is_nan() && !clustered.se_cr0.is_nan() && !clustered.se_miller.is_nan());
            clustered.interval.into_iter().for_each(is_interval);
        }
        if let Ok(found) = paired_error(&x, &y, Some(&labels), LEVEL) {
            assert!(!found.difference.is_nan() && !found.se_unpaired.is_nan());
            if let Ok(t) = found.t {
                are_p(t.p);
            }
        }
        if let Ok(found) = repeated_error(&[&x, &y]) {
            assert!(!found.within.is_nan() && !found.se.is_nan());
        }
        if let Ok(found) = quantile_interval(&x, p, LEVEL) {
            is_interval(found.interval);
            assert!(!found.coverage.is_nan());
        }
        if let Ok(found) = ratio_of_means(&x, &y, LEVEL) {
            is_interval(found.delta);
        }
        let [answers, right, k] = many.map(|count| count % 300);
        if let Ok(found) = pass_rates(answers, right, k) {
            assert!((0.0..=1.0).contains(&found.any) && (0.0..=1.0).contains(&found.all));
        }
        let plan = EvalPlan {
            between: p,
            within: (p, 0.1),
            repeats: (many[0] as u32, many[1] as u32),
            alpha: 0.05,
            power: p,
            difference: x.first().copied().unwrap_or(0.0),
        };
        if let Ok(found) = eval_sample_size(&plan) {
            assert!(found.items > 0 && found.detectable >= 0.0);
        }
    }

    #[test]
    fn counts(large in any::<bool>(), table in any::<[[u64; 2]; 2]>(), expected in sample()) {
        let table = table.map(|row| row.map(|count| if large { count >> 26 } else { count % 8 }));
        let [[a, b], [c, d]] = table;
        // Fisher's test of counts of billions sums too many tables for a test of many cases.
        if !large && let Ok(found) = fisher_exact(table) {
            are_p(found.p);
            is_p(found.mid_p);
        }
        if let Ok(found) = chi_squared_independence(&table) {
            is_p(found.pearson.p);
            is_p(found.likelihood_ratio.p);
            assert!(found.cramers_v <= 1.0 + 1e-9);
        }
        if let Ok(found) = two_proportions(Rate::new(a, b), Rate::new(c, d), LEVEL) {
            is_interval(found.newcombe);
            if let Ok(pooled) = found.pooled {
                are_p(pooled.p);
            }
        }
        if let Ok(found) = mcnemar(a % 100_000, b % 100_000) {
            are_p(found.exact);
            is_p(found.mid_p);
        }
        if let Ok(found) = chi_squared_fit(&[a, b], &expected) {
            is_p(found.p);
        }
    }

    #[test]
    fn families(p in sample()) {
        for correction in Correction::ALL {
            if let Ok(adjusted) = adjust(&p, correction) {
                assert!(adjusted.iter().all(|p| (0.0..=1.0).contains(p)));
            }
            if let Ok(adjusted) = adjust_ln(&p, correction) {
                assert!(adjusted.iter().all(|&ln| ln <= 0.0));
            }
        }
    }
}
