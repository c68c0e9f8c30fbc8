//! What may be concluded from these numbers?
//!
//! Not here: what a run is, how a result is worded, missing values (the caller removes and counts them).
//! Invariant: a procedure that cannot answer says why ([`Undefined`]); it never answers with NaN.
//!
//! Samples are slices; a result is a struct with the estimate, its [`Interval`] at a [`Level`], the statistic, its
//! degrees of freedom, and every p-value beside its logarithm ([`PValue`]), which stays finite where the p-value is
//! below every float. Signs and one-sided alternatives follow the first sample: `greater` is small where it is.
//! Nothing reads a clock or the environment; the same input gives the same bits on every platform.
//!
//! | Question | Default | Also |
//! | --- | --- | --- |
//! | What does a sample look like? | [`describe()`], [`Description::mean_interval`] | [`shape`], [`quantile`], [`quantile_interval`], [`trimmed_mean`] |
//! | Do two means differ? | [`welch_t_test`] | [`student_t_test`], [`permute_difference`], [`mann_whitney`], [`brunner_munzel`] |
//! | By how much is one sample greater, in the middle of all pairs? | [`shift()`] (Hodges and Lehmann) | [`paired_shift`] |
//! | Do pairs (same item, same seed) differ? | [`paired_t_test`] | [`signed_rank`], [`sign_test`], [`permute_signs`] |
//! | Is a difference as good as none? | [`TTest::equivalence`] | |
//! | Does a mean differ from a value? | [`one_sample_t_test`] | |
//! | How large is the difference? | [`effect_size()`], [`paired_effect_size`] with a [`Magnitude`] | [`superiority`] |
//! | Do several means differ? | [`welch_anova`], shares of variance by [`one_way_anova`] | [`repeated_measures_anova`], [`kruskal_wallis`], [`friedman`] |
//! | How sure is a rate? | [`proportion_interval`] (Wilson) | |
//! | Do two rates differ? | [`two_proportions`] (Newcombe), [`fisher_exact`] | [`chi_squared_independence`], [`cochran_q`] |
//! | Do the right answers of the same items differ? | [`paired_proportions`], [`mcnemar`] | [`compare_items`] |
//! | How sure is a score whose items come in clusters? | [`mean_error`], [`paired_error`] | [`repeated_error`], [`ratio_of_means`], [`pass_rates`] |
//! | Do two quantities go together? | [`spearman`] | [`pearson`], [`kendall`] |
//! | How sure is any other statistic? | [`bootstrap`] (BCa) | [`bootstrap_t`], [`bootstrap_difference`], [`bootstrap_ratio`], [`bootstrap_clusters`] |
//! | What remains of many tests? | [`adjust`] with [`Correction::Holm`] | the other [`Correction`]s |
//! | How many trials are needed? | [`TPlan`], [`proportion_sample_size`], [`fisher_sample_size`] | [`anova_sample_size`], [`chi_squared_power`], [`eval_sample_size`] |
//! | What is the chance of a value? | [`Distribution`] | [`noncentral_t`], [`binomial`], [`hypergeometric`] |
//!
//! A reason is the first that applies: values that are not finite, an empty sample, lengths, counts, groups, spread.
//! What the defaults are chosen by, and how they fare where their model does not hold, is `docs/guide/statistics.md`.

#![expect(
    clippy::many_single_char_names,
    reason = "formulas keep the letters of their sources"
)]

mod adjustment;
mod anova;
mod coin;
mod correlation;
mod counting;
mod describe;
mod effect_size;
mod evals;
mod exact;
mod interval;
mod moments;
mod power;
mod probability;
mod proportion;
mod random;
mod rank_tests;
mod ranking;
mod resampling;
mod special;
mod streams;
mod t_test;
mod undefined;

pub use adjustment::{Correction, adjust, adjust_ln};
pub use anova::{
    OneWayAnova, RepeatedMeasures, WelchAnova, one_way_anova, repeated_measures_anova, welch_anova,
};
pub use correlation::{Kendall, Pearson, Spearman, StudentForm, kendall, pearson, spearman};
pub use describe::{Description, Shape, describe, quantile, shape, trimmed_mean};
pub use effect_size::{
    EffectSize, Magnitude, PairedEffectSize, Superiority, effect_size, hedges_j, hedges_j_approx,
    paired_effect_size, superiority,
};
pub use evals::{
    Clustered, EvalPlan, EvalSize, ItemComparison, ItemTest, ItemValue, MatchedItem, MatchedItems,
    MeanError, PairedError, PassRates, QuantileInterval, RatioOfMeans, RepeatedError,
    compare_items, eval_sample_size, match_items, mean_error, paired_error, pass_rates,
    quantile_interval, ratio_of_means, repeated_error,
};
pub use interval::Interval;
pub use power::{
    Design, FISHER_MOST, ProportionPower, ProportionSampleSize, SampleSize, TPlan, anova_power,
    anova_sample_size, chi_squared_power, fisher_power, fisher_sample_size, proportion_power,
    proportion_sample_size,
};
pub use probability::{Alternative, Level, PValue, PValues};
pub use proportion::{
    ChiSquaredTest, CochranQ, FisherExact, Independence, McNemar, PairedProportions, PairedTable,
    ProportionMethod, Rate, RatioInterval, TwoProportions, chi_squared_fit,
    chi_squared_independence, cochran_q, fisher_exact, mcnemar, paired_proportions,
    proportion_interval, two_proportions,
};
pub use random::SplitMix64;
pub use rank_tests::{
    Approximation, BrunnerMunzel, Friedman, ImanDavenport, KolmogorovSmirnov, KruskalWallis,
    MannWhitney, RankPValues, RankVariant, Shift, SignTest, SignedRank, Zeros, brunner_munzel,
    friedman, kolmogorov_smirnov, kruskal_wallis, mann_whitney, paired_shift, shift, sign_test,
    signed_rank,
};
pub use resampling::{
    Arrangements, Bca, BootstrapIntervals, Bootstrapped, Draws, Enumerated, MOST_ENUMERATED,
    Permutation, Statistic, Studentized, bootstrap, bootstrap_clusters, bootstrap_difference,
    bootstrap_exact, bootstrap_ratio, bootstrap_t, bootstrap_t_difference, bootstrap_with,
    intervals_from_replicates, monte_carlo_p, permute_difference, permute_signs,
};
pub use special::{
    Distribution, Tail, Tails, Urn, binomial, binomial_mass, hypergeometric, hypergeometric_mass,
    noncentral_chi_squared, noncentral_f, noncentral_t, normal_density,
};
pub use streams::ENGINE;
pub use t_test::{
    Equivalence, TTest, TVariant, one_sample_t_test, paired_t_test, student_t_test, welch_t_test,
};
pub use undefined::Undefined;
