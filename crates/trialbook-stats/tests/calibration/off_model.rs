//! What intervals and tests do where their model does not hold: the figures of `docs/guide/statistics.md`.
//!
//! Not run by default: `cargo test -p trialbook-stats --test calibration -- --ignored --nocapture` prints them.

use trialbook_stats::{
    Draws, Interval, Level, Statistic, bootstrap, bootstrap_t, describe, mann_whitney, welch_t_test,
};

use crate::simulated::{Share, Source};

const EXPERIMENTS: u32 = 2_000;
const REPLICATES: u32 = 1_000;

/// A distribution with a name and its mean.
struct Population {
    name: &'static str,
    mean: f64,
    value: fn(&mut Source) -> f64,
}

const POPULATIONS: [Population; 5] = [
    Population {
        name: "normal",
        mean: 0.0,
        value: Source::normal,
    },
    Population {
        name: "lognormal, σ = 1 (cost, latency)",
        mean: 1.648_721_270_700_128_2,
        value: |source| libm::exp(source.normal()),
    },
    Population {
        name: "heavy tails (t, 3 df)",
        mean: 0.0,
        value: |source| {
            let squares: f64 = source.normals(3, 0.0, 1.0).iter().map(|z| z * z).sum();
            source.normal() / (squares / 3.0).sqrt()
        },
    },
    Population {
        name: "ratings 1–5, most of them 5",
        mean: 4.25,
        value: |source| match source.uniform() {
            u if u < 0.55 => 5.0,
            u if u < 0.80 => 4.0,
            u if u < 0.92 => 3.0,
            u if u < 0.98 => 2.0,
            _ => 1.0,
        },
    },
    Population {
        name: "one in five fails (0 or 1)",
        mean: 0.8,
        value: |source| f64::from(source.uniform() < 0.8),
    },
];

/// Percent of the intervals that hold the mean; a sample that has no interval counts as a miss.
fn coverage_line(population: &Population, n: usize) -> String {
    let mut source = Source::new(n as u64);
    let mut held = [0_u32; 4];
    for _ in 0..EXPERIMENTS {
        let values = source.values(n, population.value);
        let draws = Draws::new(source.below(1 << 40), REPLICATES);
        for (held, interval) in held.iter_mut().zip(intervals(&values, draws)) {
            *held += u32::from(interval.is_some_and(|found| found.contains(population.mean)));
        }
    }
    let [student, percentile, bca, studentized] =
        held.map(|held| 100.0 * f64::from(held) / f64::from(EXPERIMENTS));
    format!(
        "| {} | {n} | {student:.0} | {percentile:.0} | {bca:.0} | {studentized:.0} |",
        population.name
    )
}

/// The intervals of a mean: t, percentile, BCa, bootstrap-t.
fn intervals(values: &[f64], draws: Draws) -> [Option<Interval>; 4] {
    let level = Level::NINETY_FIVE;
    let drawn = bootstrap(values, Statistic::Mean, level, draws).ok();
    [
        describe(values).unwrap().mean_interval(level),
        drawn.map(|found| found.intervals.percentile),
        drawn.and_then(|found| Some(found.intervals.bca.ok()?.interval)),
        bootstrap_t(values, level, draws)
            .ok()
            .map(|found| found.interval),
    ]
}

fn level_line(population: &Population, n: (usize, usize)) -> String {
    let rejected = |p: fn(&[f64], &[f64]) -> f64| {
        let share = Share::of(10 * EXPERIMENTS, (n.0 + n.1) as u64, |source| {
            let (x, y) = (
                source.values(n.0, population.value),
                source.values(n.1, population.value),
            );
            p(&x, &y) <= 0.05
        });
        100.0 * share.of
    };
    let welch = rejected(|x, y| {
        welch_t_test(x, y, Level::NINETY_FIVE).map_or(1.0, |test| test.p.two_sided.p)
    });
    let ranks =
        rejected(|x, y| mann_whitney(x, y).map_or(1.0, |test| test.p.preferred().1.two_sided.p));
    format!(
        "| {} | {}, {} | {welch:.1} | {ranks:.1} |",
        population.name, n.0, n.1
    )
}

/// The tables of the guide are what this prints.
#[test]
#[ignore = "prints the figures of the guide, for some minutes"]
fn the_published_figures_are_these() {
    let mut lines = vec![
        "| Data | n | t | percentile | BCa | bootstrap-t |".to_owned(),
        "| --- | --- | --- | --- | --- | --- |".to_owned(),
    ];
    for population in &POPULATIONS {
        lines.extend([5, 10, 20, 50, 200].map(|n| coverage_line(population, n)));
    }
    lines.push(String::new());
    lines.push("| Data | n | Welch | Mann-Whitney |".to_owned());
    lines.push("| --- | --- | --- | --- |".to_owned());
    for population in &POPULATIONS {
        lines.extend([(5, 5), (10, 10), (5, 20), (30, 30)].map(|n| level_line(population, n)));
    }
    println!("{}", lines.join("\n"));
    let guide = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/guide/statistics.md"
    );
    let guide = std::fs::read_to_string(guide).unwrap();
    for line in lines {
        assert!(guide.contains(&line), "the guide has not: {line}");
    }
}
