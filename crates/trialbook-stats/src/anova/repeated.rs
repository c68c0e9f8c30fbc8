//! Repeated measures: the same subjects (items, seeds) under every condition.

use crate::exact::sum;
use crate::moments::{Moments, finite, within_floats};
use crate::probability::PValue;
use crate::special::fisher;
use crate::undefined::Undefined;

/// What an analysis of repeated measures found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RepeatedMeasures {
    /// Subjects.
    pub subjects: usize,
    /// Conditions.
    pub conditions: usize,
    /// The statistic F of the conditions.
    pub statistic: f64,
    /// Degrees of freedom of the conditions.
    pub df_condition: f64,
    /// Degrees of freedom of the error.
    pub df_error: f64,
    /// The p-value where the differences of all conditions vary alike (sphericity).
    pub p: PValue,
    /// Greenhouse & Geisser's ε (1959): 1 under sphericity, down to 1/(conditions − 1).
    pub epsilon_gg: f64,
    /// The p-value with both degrees of freedom times `epsilon_gg`: the default.
    pub p_gg: PValue,
    /// Huynh & Feldt's ε (1976), at most 1.
    pub epsilon_hf: f64,
    /// Generalized η² (Olejnik & Algina 2003): comparable with designs without repetition.
    pub eta_squared_generalized: f64,
    /// Partial η².
    pub eta_squared_partial: f64,
    /// Sum of squares of the conditions.
    pub ss_condition: f64,
    /// Sum of squares of the subjects.
    pub ss_subject: f64,
    /// Sum of squares of the error.
    pub ss_error: f64,
}

impl RepeatedMeasures {
    /// The name used in results.
    pub const NAME: &'static str = "repeated-measures ANOVA (Greenhouse-Geisser)";
}

/// Compares conditions; a row holds one subject's value under each condition.
///
/// # Errors
/// [`Undefined::NonFiniteInput`]; [`Undefined::EmptyInput`] without rows; [`Undefined::LengthMismatch`] where rows
/// differ in length; [`Undefined::TooFewObservations`] with fewer than two subjects; [`Undefined::TooFewGroups`] with
/// fewer than two conditions; [`Undefined::ZeroVariance`] where subjects differ by the same amount under every
/// condition; [`Undefined::DomainError`] where a result leaves the floats.
pub fn repeated_measures_anova<R: AsRef<[f64]>>(rows: &[R]) -> Result<RepeatedMeasures, Undefined> {
    let table = Table::of(rows)?;
    let (n, k) = (table.subjects() as f64, table.conditions as f64);
    let (df_condition, df_error) = (k - 1.0, (k - 1.0) * (n - 1.0));
    let (condition, subject, error) =
        (table.of_conditions(), table.of_subjects(), table.of_error());
    let statistic = condition / df_condition / (error / df_error);
    let epsilon_gg = table.greenhouse_geisser();
    let epsilon_hf =
        (n * (k - 1.0) * epsilon_gg - 2.0) / ((k - 1.0) * (n - 1.0 - (k - 1.0) * epsilon_gg));
    within_floats(&[statistic, epsilon_gg])?;
    let p = |epsilon: f64| {
        let tails = fisher(statistic, df_condition * epsilon, df_error * epsilon);
        PValue::new(tails.upper, tails.ln_upper)
    };
    let units = table.unit * table.unit;
    Ok(RepeatedMeasures {
        subjects: table.subjects(),
        conditions: table.conditions,
        statistic,
        df_condition,
        df_error,
        p: p(1.0),
        epsilon_gg,
        p_gg: p(epsilon_gg),
        // Without enough subjects the formula's denominator is 0, and nothing speaks for a correction.
        epsilon_hf: if epsilon_hf.is_nan() {
            1.0
        } else {
            epsilon_hf.min(1.0)
        },
        eta_squared_generalized: condition / (condition + subject + error),
        eta_squared_partial: condition / (condition + error),
        ss_condition: condition * units,
        ss_subject: subject * units,
        ss_error: error * units,
    })
}

/// Deviations from the grand mean, in units of their sd.
struct Table {
    rows: Vec<Vec<f64>>,
    conditions: usize,
    /// Means of the conditions.
    columns: Vec<f64>,
    /// The unit of all that is above.
    unit: f64,
}

impl Table {
    fn of<R: AsRef<[f64]>>(rows: &[R]) -> Result<Self, Undefined> {
        let rows: Vec<&[f64]> = rows.iter().map(AsRef::as_ref).collect();
        finite(&rows)?;
        let conditions = rows.first().ok_or(Undefined::EmptyInput)?.len();
        if rows.iter().any(|row| row.len() != conditions) {
            return Err(Undefined::LengthMismatch);
        }
        if rows.len() < 2 {
            return Err(Undefined::TooFewObservations);
        }
        if conditions < 2 {
            return Err(Undefined::TooFewGroups);
        }
        let values = rows.concat();
        let moments = Moments::of(&values).ok_or(Undefined::EmptyInput)?;
        within_floats(&[moments.sd])?;
        if moments.sd == 0.0 {
            return Err(Undefined::ZeroVariance);
        }
        let unit = moments.sd;
        let deviation = |value: &f64| moments.mean.negated().plus((*value).into()).value() / unit;
        let rows: Vec<Vec<f64>> = rows
            .iter()
            .map(|row| row.iter().map(deviation).collect())
            .collect();
        let columns = (0..conditions)
            .map(|at| mean(rows.iter().map(|row| row[at])))
            .collect();
        let table = Self {
            rows,
            conditions,
            columns,
            unit,
        };
        if table.is_additive(moments.range) {
            return Err(Undefined::ZeroVariance);
        }
        Ok(table)
    }

    fn subjects(&self) -> usize {
        self.rows.len()
    }

    /// What neither subject nor condition explains.
    fn residuals(&self) -> impl Iterator<Item = f64> + '_ {
        self.rows.iter().flat_map(|row| {
            let of_subject = mean(row.iter().copied());
            row.iter()
                .zip(&self.columns)
                .map(move |(value, column)| value - column - of_subject)
        })
    }

    /// Whether the residuals are but the rounding of the values.
    fn is_additive(&self, (low, high): (f64, f64)) -> bool {
        let greatest = low.abs().max(high.abs());
        let rounding = 4.0 * (greatest.next_up() - greatest) / self.unit;
        self.residuals().all(|residual| residual.abs() <= rounding)
    }

    fn of_conditions(&self) -> f64 {
        self.subjects() as f64 * squares(self.columns.iter().copied())
    }

    fn of_subjects(&self) -> f64 {
        let means = self.rows.iter().map(|row| mean(row.iter().copied()));
        self.conditions as f64 * squares(means)
    }

    fn of_error(&self) -> f64 {
        squares(self.residuals())
    }

    /// ε from the covariances of the conditions.
    fn greenhouse_geisser(&self) -> f64 {
        let k = self.conditions as f64;
        let covariance = |a: usize, b: usize| {
            sum(self
                .rows
                .iter()
                .map(|row| (row[a] - self.columns[a]) * (row[b] - self.columns[b])))
            .over((self.subjects() - 1) as f64)
            .value()
        };
        let matrix: Vec<Vec<f64>> = (0..self.conditions)
            .map(|a| (0..self.conditions).map(|b| covariance(a, b)).collect())
            .collect();
        let diagonal = mean((0..self.conditions).map(|at| matrix[at][at]));
        let of_rows: Vec<f64> = matrix.iter().map(|row| mean(row.iter().copied())).collect();
        let all = mean(of_rows.iter().copied());
        let above = k * (diagonal - all);
        // The doubly centred matrix: its squares sum to what the textbook's formula takes apart.
        let centred = squares(matrix.iter().enumerate().flat_map(|(a, row)| {
            let of_rows = &of_rows;
            row.iter()
                .enumerate()
                .map(move |(b, value)| value - of_rows[a] - of_rows[b] + all)
        }));
        above * above / ((k - 1.0) * centred)
    }
}

fn mean(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let n = values.clone().count() as f64;
    sum(values).over(n).value()
}

fn squares(values: impl Iterator<Item = f64>) -> f64 {
    sum(values.map(|value| value * value)).value()
}
