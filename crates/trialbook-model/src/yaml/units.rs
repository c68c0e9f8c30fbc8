//! Times with their unit, as configs write them.
//!
//! Invariant: a number without a unit is none of them.

/// Milliseconds of a text such as `90s` or `1.5h`.
pub(super) fn with_unit(text: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 6] = [
        ("ms", 1.0),
        ("min", 60_000.0),
        ("s", 1000.0),
        ("m", 60_000.0),
        ("h", 3_600_000.0),
        ("d", 86_400_000.0),
    ];
    UNITS.iter().find_map(|(unit, millis)| {
        let number = text.strip_suffix(unit)?.trim_end();
        crate::canonical::number(number)?;
        Some(number.parse::<f64>().ok()? * millis)
    })
}
