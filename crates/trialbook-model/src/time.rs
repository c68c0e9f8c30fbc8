//! Instants: microseconds UTC inside, RFC 3339 with milliseconds in files and answers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// Where the present time comes from: the system in programs, a counter in tests and simulations.
pub trait Clock: Send + Sync {
    /// The present time.
    fn now(&self) -> Timestamp;
}

/// Why a text is not an instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a time such as `2026-01-21T10:00:12.345Z`")]
pub struct TimestampError {
    /// The text as given.
    pub text: String,
}

impl Timestamp {
    /// From whole milliseconds since 1970.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1000))
    }

    /// Whole milliseconds since 1970, rounded down.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Parses RFC 3339 with any offset.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        text.parse::<jiff::Timestamp>()
            .map(|instant| Self(instant.as_microsecond()))
            .map_err(|_reason| TimestampError {
                text: text.to_owned(),
            })
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with milliseconds, such as `2026-01-21T10:00:12.345Z`. An instant outside the
    /// years −9999 … 9999 shows as its number of microseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let floored = self.0.div_euclid(1000).saturating_mul(1000);
        match jiff::Timestamp::from_microsecond(floored) {
            Ok(instant) => f.pad(&format!("{instant:.3}")),
            Err(_out_of_range) => write!(f, "{}us", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_shown_and_read_back() {
        let time = Timestamp(1_769_000_412_345_678);
        assert_eq!(time.to_string(), "2026-01-21T13:00:12.345Z");
        assert_eq!(
            Timestamp::parse("2026-01-21T14:00:12.345678+01:00").unwrap(),
            time
        );
        assert_eq!(Timestamp(-1).to_string(), "1969-12-31T23:59:59.999Z");
        assert_eq!(Timestamp(-1).millis(), -1);
        assert!(Timestamp::parse("yesterday").is_err());
    }
}
