//! Without an effect no default test rejects more often than its level.

use trialbook_stats::{
    Correction, Interval, Level, TTest, Undefined, adjust, brunner_munzel, friedman,
    kruskal_wallis, mann_whitney, one_sample_t_test, one_way_anova, paired_t_test,
    repeated_measures_anova, sign_test, signed_rank, student_t_test, welch_anova, welch_t_test,
};

use crate::simulated::{Share, Source};

const EXPERIMENTS: u32 = 5_000;
const ALPHA: f64 = 0.05;

/// How often a p-value is at most 0.05, and at most 0.01.
fn rejections(seed: u64, mut p: impl FnMut(&mut Source) -> f64) -> (Share, Share) {
    let strict = Share::of(EXPERIMENTS, seed + 1, |source| p(source) <= 0.01);
    (
        Share::of(EXPERIMENTS, seed, |source| p(source) <= ALPHA),
        strict,
    )
}

fn two_sided(test: Result<TTest, Undefined>) -> f64 {
    test.unwrap().p.two_sided.p
}

#[test]
fn t_tests_of_normal_values_have_their_level() {
    let level = Level::NINETY_FIVE;
    for n in [2, 5, 30] {
        let (usual, strict) = rejections(100 + n as u64, |source| {
            two_sided(one_sample_t_test(&source.normals(n, 3.0, 2.0), 3.0, level))
        });
        usual.exactly(ALPHA, "one sample");
        strict.exactly(0.01, "one sample");
        let (usual, _) = rejections(200 + n as u64, |source| {
            let x = source.normals(n, 0.0, 1.0);
            let y: Vec<_> = x.iter().map(|x| x * 0.7 + source.normal()).collect();
            two_sided(paired_t_test(&x, &y, level))
        });
        usual.exactly(ALPHA, "paired");
        let (usual, _) = rejections(300 + n as u64, |source| {
            let (x, y) = (source.normals(n, 0.0, 1.0), source.normals(2 * n, 0.0, 1.0));
            two_sided(student_t_test(&x, &y, level))
        });
        usual.exactly(ALPHA, "Student");
    }
}

/// Welch's degrees of freedom are an approximation: with few values and very different variances the level may be
/// exceeded by up to a tenth of itself, with five values against many by a fifth.
#[test]
fn welch_keeps_its_level_whatever_the_variances() {
    let designs = [
        (5, 5, 1.0, 1.1),
        (5, 5, 4.0, 1.1),
        (5, 20, 1.0, 1.2),
        (10, 30, 3.0, 1.1),
        (30, 10, 3.0, 1.1),
        (10, 100, 1.0, 1.1),
        (8, 40, 0.2, 1.1),
    ];
    for (at, (n1, n2, sd, nearly)) in designs.into_iter().enumerate() {
        let (usual, _) = rejections(1000 + 10 * at as u64, |source| {
            let (x, y) = (source.normals(n1, 1.0, sd), source.normals(n2, 1.0, 1.0));
            two_sided(welch_t_test(&x, &y, Level::NINETY_FIVE))
        });
        usual.at_most(nearly * ALPHA, &format!("Welch, {n1} and {n2}, sd {sd}"));
    }
}

#[test]
fn one_sided_tests_and_equivalence_keep_their_level() {
    let one_sided = Share::of(EXPERIMENTS, 7, |source| {
        let (x, y) = (source.normals(8, 0.0, 1.0), source.normals(12, 0.0, 2.0));
        let test = welch_t_test(&x, &y, Level::NINETY_FIVE).unwrap();
        test.p.greater.p <= ALPHA
    });
    one_sided.at_most(1.1 * ALPHA, "one-sided Welch");
    // At the margin itself nothing is equivalent.
    let equivalent = Share::of(EXPERIMENTS, 8, |source| {
        let (x, y) = (source.normals(40, 0.8, 1.0), source.normals(40, 0.0, 1.0));
        let test = welch_t_test(&x, &y, Level::NINETY_FIVE).unwrap();
        test.equivalence(Interval::new(-0.8, 0.8)).unwrap().p.p <= ALPHA
    });
    equivalent.exactly(ALPHA, "equivalence at its margin");
}

/// Welch's analysis approximates as his test does.
#[test]
fn analyses_of_variance_keep_their_level() {
    let (one_way, _) = rejections(400, |source| {
        let groups = [4, 7, 10].map(|n| source.normals(n, 2.0, 1.5));
        one_way_anova(&groups).unwrap().p.p
    });
    one_way.exactly(ALPHA, "one-way");
    let (welch, _) = rejections(410, |source| {
        let groups = [(10, 1.0), (15, 2.0), (20, 4.0)].map(|(n, sd)| source.normals(n, 0.0, sd));
        welch_anova(&groups).unwrap().p.p
    });
    welch.at_most(1.1 * ALPHA, "Welch");
    // Differences that vary unlike: the correction is what keeps the level.
    let (repeated, _) = rejections(420, |source| {
        let rows: Vec<Vec<f64>> = (0..12)
            .map(|_| {
                let subject = 3.0 * source.normal();
                [0.3, 0.3, 1.0, 3.0]
                    .map(|sd| subject + sd * source.normal())
                    .into()
            })
            .collect();
        repeated_measures_anova(&rows).unwrap().p_gg.p
    });
    repeated.at_most(ALPHA, "repeated measures");
}

#[test]
fn exact_rank_tests_keep_their_level_for_any_distribution() {
    let skewed = |source: &mut Source| -libm::log(source.uniform());
    let tied = |source: &mut Source| source.below(5) as f64;
    for (seed, value) in [(500, skewed as fn(&mut Source) -> f64), (510, tied)] {
        let (ranks, _) = rejections(seed, |source| {
            let (x, y) = (source.values(6, value), source.values(9, value));
            mann_whitney(&x, &y).map_or(1.0, |found| found.p.preferred().1.two_sided.p)
        });
        ranks.at_most(ALPHA, "Mann-Whitney");
        let differences =
            |source: &mut Source| source.values(11, |source| value(source) - value(source));
        let (signed, _) = rejections(seed + 2, |source| {
            signed_rank(&differences(source))
                .map_or(1.0, |found| found.dropped.p.preferred().1.two_sided.p)
        });
        signed.at_most(ALPHA, "Wilcoxon");
        let (signs, _) = rejections(seed + 4, |source| {
            sign_test(&differences(source)).map_or(1.0, |found| found.p.two_sided.p)
        });
        signs.at_most(ALPHA, "signs");
    }
}

/// Approximations of rank tests for groups; Brunner & Munzel's as Welch's.
#[test]
fn rank_tests_of_groups_keep_their_level() {
    let (kruskal, _) = rejections(600, |source| {
        let groups = [7, 8, 9].map(|n| source.values(n, Source::uniform));
        kruskal_wallis(&groups).unwrap().p.p
    });
    kruskal.at_most(ALPHA, "Kruskal-Wallis");
    let (blocks, _) = rejections(610, |source| {
        let rows: Vec<_> = (0..15).map(|_| source.values(4, Source::uniform)).collect();
        friedman(&rows).unwrap().iman_davenport.unwrap().p.p
    });
    blocks.at_most(1.1 * ALPHA, "Friedman");
    let (spread, _) = rejections(620, |source| {
        let (x, y) = (source.normals(20, 0.0, 1.0), source.normals(30, 0.0, 3.0));
        brunner_munzel(&x, &y).map_or(1.0, |found| found.p.two_sided.p)
    });
    spread.at_most(1.15 * ALPHA, "Brunner-Munzel");
}

/// Ten metrics without any effect, correlated as metrics of one run are: the chance of any false alarm is the level.
#[test]
fn holm_keeps_the_level_of_the_family() {
    let any = Share::of(2_000, 700, |source| {
        let common = [source.normals(10, 0.0, 1.0), source.normals(10, 0.0, 1.0)];
        let p: Vec<f64> = (0..10)
            .map(|_| {
                let [x, y] = [&common[0], &common[1]].map(|common| {
                    common
                        .iter()
                        .map(|c| c + source.normal())
                        .collect::<Vec<_>>()
                });
                two_sided(welch_t_test(&x, &y, Level::NINETY_FIVE))
            })
            .collect();
        adjust(&p, Correction::Holm)
            .unwrap()
            .iter()
            .any(|&p| p <= ALPHA)
    });
    any.at_most(ALPHA, "Holm");
}
