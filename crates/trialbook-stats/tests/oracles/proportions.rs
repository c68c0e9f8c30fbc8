//! Proportions.

use serde_json::Value;
use trialbook_stats::{
    ChiSquaredTest, Interval, Level, PairedTable, ProportionMethod, Rate, Undefined,
    chi_squared_fit, chi_squared_independence, cochran_q, fisher_exact, mcnemar,
    paired_proportions, proportion_interval, two_proportions,
};

use crate::args::{Args, count};
use crate::found::{Found, Outcome, record};

/// Functions of this family that the crate does not offer.
pub(crate) const NOT_OFFERED: &[&str] = &[];

/// Asks the crate.
pub(crate) fn ask(function: &str, args: &Args<'_>) -> Option<Outcome> {
    match function {
        "proportion_ci" => Some(intervals(args)),
        "two_proportions" => Some(two(args)),
        "fisher_exact_2x2" => Some(fisher(args)),
        "chi2_independence" => Some(independence(args)),
        "chi2_goodness_of_fit" => Some(fit(args)),
        "mcnemar" => Some(paired(args)),
        "cochran_q" => Some(cochran(args)),
        _ => None,
    }
}

fn pair(interval: Interval) -> (f64, f64) {
    (interval.low, interval.high)
}

fn counts(value: &Value) -> Result<Vec<u64>, Undefined> {
    value.as_array().unwrap().iter().map(count).collect()
}

fn table(args: &Args<'_>) -> Result<Vec<Vec<u64>>, Undefined> {
    let rows = args.value("table").as_array().unwrap();
    rows.iter().map(counts).collect()
}

fn intervals(args: &Args<'_>) -> Outcome {
    let rate = Rate::new(args.count("k")?, args.count("n")?);
    let levels: Result<_, Undefined> = ["90", "95", "99"]
        .into_iter()
        .map(|percent| {
            let level = Level::new(percent.parse::<f64>().unwrap() / 100.0)?;
            let methods: Result<_, Undefined> = ProportionMethod::ALL
                .into_iter()
                .map(|method| {
                    let interval = proportion_interval(rate, method, level)?;
                    Ok((method.word().to_owned(), pair(interval).into()))
                })
                .collect();
            Ok((percent.to_owned(), Found::Record(methods?)))
        })
        .collect();
    Ok(Found::Record(levels?))
}

fn two(args: &Args<'_>) -> Outcome {
    let found = two_proportions(
        Rate::new(args.count("k1")?, args.count("n1")?),
        Rate::new(args.count("k2")?, args.count("n2")?),
        Level::NINETY_FIVE,
    )?;
    let pooled = found.pooled.map(|pooled| {
        record! {
            "z" => pooled.z,
            "p_two_sided" => pooled.p.two_sided.p,
            "p_less" => pooled.p.less.p,
            "p_greater" => pooled.p.greater.p,
            "ln_p_two_sided" => pooled.p.two_sided.ln_p,
        }
    });
    Ok(record! {
        "p1" => found.p1,
        "p2" => found.p2,
        "difference" => found.difference,
        "z_pooled" => pooled,
        "ci95_newcombe" => pair(found.newcombe),
        "ci95_wald" => pair(found.wald),
        "ci95_agresti_caffo" => pair(found.agresti_caffo),
        "cohen_h" => found.cohen_h,
        "risk_ratio" => found.risk_ratio,
        "ci95_risk_ratio_log" => found.risk_ratio_interval.map(pair),
        "odds_ratio" => found.odds_ratio.map(|odds| odds.ratio),
        "ci95_odds_ratio_log" => found.odds_ratio.map(|odds| pair(odds.interval)),
    })
}

fn fisher(args: &Args<'_>) -> Outcome {
    let table = table(args)?;
    let found = fisher_exact([[table[0][0], table[0][1]], [table[1][0], table[1][1]]])?;
    Ok(record! {
        "p_two_sided" => found.p.two_sided.p,
        "p_less" => found.p.less.p,
        "p_greater" => found.p.greater.p,
        "ln_p_two_sided" => found.p.two_sided.ln_p,
        "p_mid_two_sided" => found.mid_p.p,
        "odds_ratio_sample" => found.odds_ratio,
        "odds_ratio_conditional_mle" => found.conditional_odds_ratio,
    })
}

fn independence(args: &Args<'_>) -> Outcome {
    let found = chi_squared_independence(&table(args)?)?;
    let corrected = found.yates.map(|yates| {
        record! {
            "statistic" => yates.statistic,
            "df" => yates.df,
            "p" => yates.p.p,
            "ln_p" => yates.p.ln_p,
            "min_expected" => found.smallest_expected,
        }
    });
    Ok(record! {
        "uncorrected" => record! {
            "statistic" => found.pearson.statistic,
            "df" => found.pearson.df,
            "p" => found.pearson.p.p,
            "ln_p" => found.pearson.p.ln_p,
            "min_expected" => found.smallest_expected,
            "g_statistic" => found.likelihood_ratio.statistic,
            "g_p" => found.likelihood_ratio.p.p,
            "cramers_v" => found.cramers_v,
            "cramers_v_bias_corrected" => found.cramers_v_corrected,
            "phi" => found.cramers_v,
        },
        "yates" => corrected,
    })
}

fn test(found: ChiSquaredTest) -> Found {
    record! { "statistic" => found.statistic, "df" => found.df, "p" => found.p.p }
}

fn fit(args: &Args<'_>) -> Outcome {
    let observed = counts(args.value("observed"))?;
    Ok(test(chi_squared_fit(&observed, &args.sample("expected"))?))
}

fn paired(args: &Args<'_>) -> Outcome {
    let (b, c) = (args.count("b")?, args.count("c")?);
    let found = mcnemar(b, c)?;
    let (mut difference, mut interval) = (None, None);
    if args.has("a") {
        let table = PairedTable {
            both: args.count("a")?,
            first_only: b,
            second_only: c,
            neither: args.count("d")?,
        };
        let found = paired_proportions(table, Level::NINETY_FIVE)?;
        difference = Some(found.difference);
        interval = Some(pair(found.newcombe));
    }
    Ok(record! {
        "b" => found.first_only,
        "c" => found.second_only,
        "n_discordant" => found.first_only + found.second_only,
        "exact_p" => found.exact.two_sided.p,
        "mid_p" => found.mid_p.p,
        "asymptotic" => found.asymptotic.map(test),
        "asymptotic_cc" => found.asymptotic_corrected.map(test),
        "odds_ratio" => found.odds_ratio,
        "difference" => difference,
        "ci95_newcombe_paired" => interval,
    })
}

fn cochran(args: &Args<'_>) -> Outcome {
    let rows: Vec<Vec<bool>> = args
        .samples("rows")
        .iter()
        .map(|row| row.iter().map(|&right| right == 1.0).collect())
        .collect();
    Ok(test(cochran_q(&rows)?.test))
}
