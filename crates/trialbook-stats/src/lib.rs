//! What may be concluded from these numbers?
//!
//! Not here: what a run is, how a result is worded, missing values (the caller removes and counts them).
//! Invariant: a procedure that cannot answer says why ([`Undefined`]); it never answers with NaN.

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
pub use interval::Interval;
pub use power::{
    Design, ProportionPower, ProportionSampleSize, SampleSize, TPlan, anova_power,
    anova_sample_size, chi_squared_power, proportion_power, proportion_sample_size,
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
    MannWhitney, RankPValues, RankVariant, SignTest, SignedRank, Zeros, brunner_munzel, friedman,
    kolmogorov_smirnov, kruskal_wallis, mann_whitney, sign_test, signed_rank,
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
