//! Two sets of judged answers in words: how many are right, what differs, which items flipped.
//!
//! Not here: matching and testing. Invariant: where items come in clusters, the sentence rests on the error bars over
//! clusters, and says so; what is decided stands in the finding.

use trialbook_analysis::items::{
    By, Caution, Clusters, Compared, Outcome, Repeats, Scale, SideFinding, Verdict,
};

use crate::analysis::{of_kind, span};
use crate::figures::{count, p, percent, points, short, signed, up_to};
use crate::page::{Page, Table, listed};

/// Flipped items that are listed.
const LISTED: usize = 20;

/// The page of two sides.
pub fn page(compared: &Compared) -> Page {
    let mut page = Page::default();
    let [first, second] = &compared.sides;
    let averaged = if compared.averaged {
        "; repeats are averaged first"
    } else {
        ""
    };
    let score = match &compared.score[..] {
        "" => String::new(),
        name => format!(", by the score `{name}`"),
    };
    page.text(format!(
        "{} against {}: {} matched by id{}{averaged}",
        second.title,
        first.title,
        count(compared.matched, "item"),
        score
    ));
    page.heading("Answers");
    page.table(sides(compared));
    if let Outcome::RightWrong {
        both,
        only_first,
        only_second,
        neither,
        ..
    } = &compared.outcome
    {
        page.heading("Right and wrong");
        let mut table = Table::of_numbers(["ITEMS", "NUMBER"]);
        let rows = [
            ("both right".to_owned(), both),
            (format!("only {} right", first.title), only_first),
            (format!("only {} right", second.title), only_second),
            ("both wrong".to_owned(), neither),
        ];
        for (what, number) in rows {
            table.row(vec![what, number.to_string()]);
        }
        page.table(table);
    }
    let mut told = sentences(compared);
    told.extend(compared.sides.iter().filter_map(repeats));
    page.list(told);
    flipped(&mut page, compared);
    for caution in &compared.warnings {
        page.warning(careful(caution, compared));
    }
    page
}

fn sides(compared: &Compared) -> Table {
    let is_share = is_share(compared);
    let titles = ["SIDE", "ANSWERS", "ERRORS", "UNSCORED", "MATCHED"];
    let mean = if is_share { "RIGHT" } else { "MEAN" };
    let mut table = Table::of_numbers(titles.into_iter().chain([mean, "95% CI"]));
    for side in &compared.sides {
        let (mean, span) = of_side(side, (is_share, compared.matched));
        table.row(vec![
            side.title.clone(),
            side.answers.to_string(),
            side.errors.to_string(),
            side.unscored.to_string(),
            side.matched.to_string(),
            mean,
            span,
        ]);
    }
    table
}

fn of_side(side: &SideFinding, (is_share, n): (bool, u64)) -> (String, String) {
    let Some(mean) = side.mean else {
        return (String::new(), String::new());
    };
    let span = side.interval.as_ref();
    if is_share {
        let ends = span.map(|it| {
            let [low, high] = [it.low, it.high].map(|end| percent(end, n));
            format!("[{low}, {high}] ({})", it.method)
        });
        return (percent(mean, n), ends.unwrap_or_default());
    }
    let half = span.map(|it| (it.high - it.low) / 2.0);
    let ends = span.map(of_kind);
    (up_to(mean, half), ends.unwrap_or_default())
}

/// How much of what the scores of a side vary comes from answering again.
fn repeats(side: &SideFinding) -> Option<String> {
    let title = &side.title;
    Some(match side.repeats.as_ref()? {
        Repeats::Split {
            each,
            between,
            within,
            share_within,
        } => {
            let numbers = format!(
                "between items {}, within items {}",
                short(*between),
                short(*within)
            );
            let share = share_within.map(|share| {
                format!(
                    "; answering again makes {} of the variance of its mean",
                    percent(share, 1)
                )
            });
            let negative = if *between < 0.0 {
                "; below 0: the items differ less than their answers alone would make them"
            } else {
                ""
            };
            format!(
                "Variance of {title} ({each} answers to each item): {numbers}{}{negative}.",
                share.unwrap_or_default()
            )
        }
        Repeats::CannotSplit { reason } => {
            format!("Variance of {title} between and within items: cannot be told apart, {reason}.")
        }
    })
}

fn is_share(compared: &Compared) -> bool {
    match compared.scale {
        Scale::RightWrong => true,
        Scale::Graded => false,
    }
}

/// What was found: the size and the test with its p.
struct Told {
    size: String,
    test: String,
}

fn sentences(compared: &Compared) -> Vec<String> {
    let told = match told(compared) {
        Ok(told) => told,
        Err(reason) => return vec![format!("Cannot test: {reason}.")],
    };
    let clusters = match (compared.decision.by, &compared.clusters) {
        (By::Clusters, Some(clusters)) => clusters,
        (By::Items, _) | (By::Clusters, None) => return vec![found(compared, &told)],
    };
    let over = clusters
        .p
        .map(|value| over_clusters(compared, clusters, value));
    let reason = clusters.cannot_test.unwrap_or_default().replace('_', " ");
    vec![
        over.map_or_else(
            || format!("Cannot test over clusters of {}: {reason}.", clusters.label),
            |told| found(compared, &told),
        ),
        format!("Taken as independent items: {}; {}.", told.size, told.test),
    ]
}

fn told(compared: &Compared) -> Result<Told, &str> {
    let n = compared.matched;
    match &compared.outcome {
        Outcome::CannotTest { reason, .. } => Err(reason),
        Outcome::RightWrong {
            difference,
            interval,
            only_first,
            only_second,
            p: value,
            mid_p,
            ..
        } => Ok(Told {
            size: format!(
                "{} pp, 95% CI [{}, {}] ({})",
                points(*difference, n),
                points(interval.low, n),
                points(interval.high, n),
                interval.method
            ),
            test: format!(
                "McNemar's exact test on {} ({only_second} against {only_first}), {}, mid-{}",
                count(only_first + only_second, "discordant item"),
                p(*value),
                p(*mid_p)
            ),
        }),
        Outcome::Scores {
            difference,
            interval,
            statistic,
            df,
            p: value,
            ..
        } => {
            let half = (interval.high - interval.low) / 2.0;
            let size = if is_share(compared) {
                format!(
                    "{} pp, 95% CI [{}, {}] ({})",
                    points(*difference, n),
                    points(interval.low, n),
                    points(interval.high, n),
                    interval.method
                )
            } else {
                let number = signed(&up_to(*difference, Some(half)));
                format!("{number}, 95% CI {}", span(interval))
            };
            let test = format!("paired t({}) = {statistic:.2}, {}", short(*df), p(*value));
            Ok(Told { size, test })
        }
    }
}

fn found(compared: &Compared, told: &Told) -> String {
    let [first, second] = &compared.sides;
    let (first, second) = (&first.title, &second.title);
    let Told { size, test } = told;
    match compared.decision.verdict {
        Verdict::Differs => format!("{second} differs from {first}: {size}; {test}."),
        Verdict::NoEvidence | Verdict::CannotTest => format!(
            "We found no evidence of a difference between {second} and {first} ({size}); {test}."
        ),
    }
}

fn over_clusters(compared: &Compared, clusters: &Clusters, value: f64) -> Told {
    let share = is_share(compared);
    let n = compared.matched;
    let difference = match &compared.outcome {
        Outcome::RightWrong { difference, .. } | Outcome::Scores { difference, .. } => *difference,
        Outcome::CannotTest { .. } => 0.0,
    };
    let ends = clusters.interval.as_ref();
    let size = if share {
        let ends =
            ends.map(|it| format!(", 95% CI [{}, {}]", points(it.low, n), points(it.high, n)));
        format!("{} pp{}", points(difference, n), ends.unwrap_or_default())
    } else {
        let half = ends.map(|it| (it.high - it.low) / 2.0);
        let ends = ends.map(|it| format!(", 95% CI {}", span(it)));
        let number = signed(&up_to(difference, half));
        format!("{number}{}", ends.unwrap_or_default())
    };
    let effect = clusters.design_effect;
    let effect = effect.map(|effect| format!(", design effect {effect:.2}"));
    let test = format!(
        "over {} of {} (CR1, {} degrees of freedom{}), {}",
        count(clusters.n, "cluster"),
        clusters.label,
        clusters.df,
        effect.unwrap_or_default(),
        p(value)
    );
    Told { size, test }
}

fn flipped(page: &mut Page, compared: &Compared) {
    if compared.flipped.is_empty() {
        return;
    }
    let number = compared.flipped.len();
    page.heading(if number > LISTED {
        format!("Flipped items ({LISTED} of {number}; --json has all)")
    } else {
        format!("Flipped items ({number})")
    });
    let [first, second] = &compared.sides;
    let mut table = Table::of_texts(["ITEM", &first.title, &second.title]);
    for flip in compared.flipped.iter().take(LISTED) {
        let (before, after) = if flip.gained {
            ("wrong", "right")
        } else {
            ("right", "wrong")
        };
        table.row(vec![flip.item.clone(), before.to_owned(), after.to_owned()]);
    }
    page.table(table);
}

fn careful(caution: &Caution, compared: &Compared) -> String {
    let [first, second] = &compared.sides;
    let (first, second) = (&first.title, &second.title);
    match caution {
        Caution::Unmatched {
            items: [one, other],
        } => format!(
            "items that only one side answered are left out ({first}: {one}, {second}: {other})"
        ),
        Caution::Unscored {
            answers: [one, other],
        } => format!("answers without a score are left out ({first}: {one}, {second}: {other})"),
        Caution::FewClusters { clusters } if *clusters < 10 => format!(
            "{}: with fewer than 10 the error bars over clusters cannot be relied on",
            count(*clusters, "cluster")
        ),
        Caution::FewClusters { clusters } => format!(
            "{}: with fewer than 40 the error bars over clusters come out too small",
            count(*clusters, "cluster")
        ),
        Caution::SeveralScores { scores } => format!(
            "the items have different primary scores ({}): --score takes one",
            listed(scores)
        ),
        Caution::Conflicting { items } => format!(
            "{} with several values of the label: the first by its letters counts",
            count(*items, "item")
        ),
        Caution::Unlabelled { items } => format!(
            "{} without the label count as a cluster each",
            count(*items, "item")
        ),
        Caution::FewItems { items } => {
            format!(
                "{} only: a few more or fewer right ones change much",
                count(*items, "item")
            )
        }
    }
}
