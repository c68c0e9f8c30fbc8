//! The jackknife: how much each observation moves a statistic, in closed form.

/// (n − 1)/n · (mean − value) of the values of a statistic without one observation each.
pub(super) fn terms_of(without: &[f64]) -> Vec<f64> {
    let n = without.len() as f64;
    let first = without[0];
    if without.iter().all(|&value| value == first) {
        return vec![0.0; without.len()];
    }
    let mean = without.iter().map(|value| value - first).sum::<f64>() / n;
    without
        .iter()
        .map(|value| (mean - (value - first)) * (n - 1.0) / n)
        .collect()
}

/// The terms of the standard deviation (0 where one value would be left), from deviations that sum to about 0:
/// Σ over all but i of (d − mean without i)² = Σ d² − d_i² n/(n − 1).
pub(super) fn spread(deviations: &[f64]) -> Vec<f64> {
    if deviations.len() < 3 {
        return vec![0.0; deviations.len()];
    }
    let n = deviations.len() as f64;
    let squares: f64 = deviations
        .iter()
        .map(|deviation| deviation * deviation)
        .sum();
    let without: Vec<f64> = deviations
        .iter()
        .map(|deviation| {
            let rest = squares - deviation * deviation * n / (n - 1.0);
            // Only rounding is left where all others are equal.
            if rest <= squares * n * f64::EPSILON {
                return 0.0;
            }
            (rest / (n - 2.0)).sqrt()
        })
        .collect();
    terms_of(&without)
}
