//! Rates, judged answers, items in clusters, ranks in pairs.

use trialbook_stats::{
    Level, PairedTable, ProportionMethod, Rate, fisher_exact, mcnemar, mean_error,
    paired_proportions, proportion_interval, quantile_interval, spearman, two_proportions,
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
