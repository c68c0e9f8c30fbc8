//! Rates, judged answers, items in clusters, ranks in pairs.

use trialbook_stats::{
    Level, PairedTable, ProportionMethod, Rate, chi_squared_independence, fisher_exact, mcnemar,
    mean_error, paired_proportions, proportion_interval, quantile_interval, spearman,
    two_proportions,
};

use crate::simulated::{Share, Source};

const EXPERIMENTS: u32 = 3_000;
const ALPHA: f64 = 0.05;

fn successes(source: &mut Source, trials: u64, rate: f64) -> Rate {
    let count = (0..trials).filter(|_| source.uniform() < rate).count();
    Rate::new(count as u64, trials)
}

#[test]
fn exact_tests_of_answers_keep_their_level() {
    let fisher = Share::of(EXPERIMENTS, 1, |source| {
        let (a, b) = (successes(source, 20, 0.7), successes(source, 30, 0.7));
        let row = |rate: Rate| [rate.successes, rate.trials - rate.successes];
        fisher_exact([row(a), row(b)]).unwrap().p.two_sided.p <= ALPHA
    });
    fisher.at_most(ALPHA, "Fisher");
    let paired = Share::of(EXPERIMENTS, 2, |source| {
        let discordant = successes(source, 40, 0.3).successes;
        let first = successes(source, discordant, 0.5).successes;
        mcnemar(first, discordant - first)
            .unwrap()
            .exact
            .two_sided
            .p
            <= ALPHA
    });
    paired.at_most(ALPHA, "McNemar");
    let ranks = Share::of(EXPERIMENTS, 3, |source| {
        let (x, y) = (
            source.values(8, Source::uniform),
            source.values(8, Source::uniform),
        );
        spearman(&x, &y, Level::NINETY_FIVE)
            .unwrap()
            .preferred()
            .unwrap()
            .two_sided
            .p
            <= ALPHA
    });
    ranks.at_most(ALPHA, "Spearman");
}

/// χ² is an approximation: taken where every expected count is 5 at least, it may exceed its level by a fifth of itself
/// (two groups of 50 at a rate of 0.5 have 0.0569, enumerated); taken at any size it may not be relied on.
#[test]
fn chi_squared_keeps_its_level_where_no_expected_count_is_small() {
    let rejections = |seed: u64, (sizes, rate): (&[u64], f64), least: f64| {
        Share::of(EXPERIMENTS, seed, |source| {
            let rates = sizes.iter().map(|n| successes(source, *n, rate));
            let table: Vec<[u64; 2]> = rates
                .map(|rate| [rate.successes, rate.trials - rate.successes])
                .collect();
            let found = chi_squared_independence(&table);
            found.is_ok_and(|it| it.smallest_expected >= least && it.pearson.p.p <= ALPHA)
        })
    };
    let designs: [(&[u64], f64); 5] = [
        (&[20, 30], 0.5),
        (&[50, 50], 0.5),
        (&[15, 45], 0.45),
        (&[12, 12, 12], 0.5),
        (&[20, 20, 20], 0.6),
    ];
    for (seed, design) in (40..).zip(designs) {
        rejections(seed, design, 5.0).at_most(1.2 * ALPHA, &format!("χ², {design:?}"));
    }
    let any_size = rejections(50, (&[3, 3, 3], 0.5), 0.0);
    any_size.at_least(1.4 * ALPHA, "χ² of three groups of three");
}

/// Clopper and Pearson's interval covers at every rate. Wilson's and those made of it cover in the mean over rates, a
/// point below their level at most.
#[test]
fn intervals_of_rates_cover() {
    let level = Level::NINETY_FIVE;
    for n in [10, 50] {
        let exact = Share::of(EXPERIMENTS, n, |source| {
            let rate = successes(source, n, 0.93);
            let method = ProportionMethod::ClopperPearson;
            proportion_interval(rate, method, level)
                .unwrap()
                .contains(0.93)
        });
        exact.at_least(0.95, "Clopper-Pearson");
        let wilson = Share::of(EXPERIMENTS, n + 1, |source| {
            let p = source.uniform();
            let rate = successes(source, n, p);
            proportion_interval(rate, ProportionMethod::Wilson, level)
                .unwrap()
                .contains(p)
        });
        wilson.at_least(0.94, "Wilson");
        let difference = Share::of(EXPERIMENTS, n + 2, |source| {
            let (p, q) = (source.uniform(), source.uniform());
            let (first, second) = (successes(source, n, p), successes(source, 2 * n, q));
            two_proportions(first, second, level)
                .unwrap()
                .newcombe
                .contains(p - q)
        });
        difference.at_least(0.94, "Newcombe");
        let pairs = Share::of(EXPERIMENTS, n + 3, |source| {
            // An item is hard or easy for both.
            let (hard, easy) = (0.4 * source.uniform(), 0.6 + 0.4 * source.uniform());
            let answers: Vec<(bool, bool)> = (0..n)
                .map(|_| {
                    let p = if source.uniform() < 0.5 { hard } else { easy };
                    (source.uniform() < p, source.uniform() < 0.9 * p)
                })
                .collect();
            let difference = 0.1 * f64::midpoint(hard, easy);
            let found = paired_proportions(PairedTable::of(answers), level).unwrap();
            found.newcombe.contains(difference)
        });
        pairs.at_least(0.94, "Newcombe of pairs");
    }
}

#[test]
fn a_quantile_is_covered_whatever_the_distribution() {
    let median = Share::of(EXPERIMENTS, 20, |source| {
        let values = source.values(15, |source| libm::exp(2.0 * source.normal()));
        let found = quantile_interval(&values, 0.5, Level::NINETY_FIVE).unwrap();
        found.interval.contains(1.0)
    });
    median.at_least(0.95, "median between order statistics");
}

/// Questions about one text share its difficulty: with clusters of one size the interval is exact, and the interval
/// of independent items is far too narrow.
#[test]
fn clusters_cover_where_items_alone_do_not() {
    let (clusters, size) = (12_u32, 6);
    let sample = |source: &mut Source| {
        let mut scores = Vec::new();
        for _ in 0..clusters {
            let text = source.normal();
            scores.extend((0..size).map(|_| text + source.normal()));
        }
        scores
    };
    let labels: Vec<u32> = (0..clusters * size).map(|at| at / size).collect();
    let level = Level::NINETY_FIVE;
    let clustered = Share::of(EXPERIMENTS, 30, |source| {
        let found = mean_error(&sample(source), Some(&labels), level).unwrap();
        found.clustered.unwrap().interval.unwrap().contains(0.0)
    });
    clustered.exactly(0.95, "clusters");
    let alone = Share::of(EXPERIMENTS, 31, |source| {
        let found = mean_error(&sample(source), Some(&labels), level).unwrap();
        (found.mean / found.se).abs() < 2.0
    });
    alone.at_most(0.8, "items alone");
}
