//! Instants and spans as people read them: local time with offset, ages, durations.
//!
//! Not here: the time in files and answers, which is UTC. Invariant: the offset stands beside every local time.

use jiff::tz::TimeZone;
use trialbook_model::time::Timestamp;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// `2026-01-21 14:00:12 +01:00` in the zone of this machine.
pub(crate) fn local(time: Timestamp) -> String {
    in_zone(time, &TimeZone::system())
}

fn in_zone(time: Timestamp, zone: &TimeZone) -> String {
    match jiff::Timestamp::from_microsecond(time.0) {
        Ok(instant) => instant
            .to_zoned_datetime(zone.clone())
            .strftime("%Y-%m-%d %H:%M:%S %:z")
            .to_string(),
        Err(_beyond_calendars) => time.to_string(),
    }
}

/// How long ago: `just now`, `3 min ago`, `in 5 s` where a clock is ahead.
pub(crate) fn age(time: Timestamp, now: Timestamp) -> String {
    let micros = now.0.saturating_sub(time.0);
    if micros.abs() < SECOND {
        return "just now".to_owned();
    }
    let span = coarse(micros.saturating_abs());
    if micros < 0 {
        format!("in {span}")
    } else {
        format!("{span} ago")
    }
}

/// The largest whole unit.
fn coarse(micros: i64) -> String {
    let units = [(DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s")];
    let fit = units.iter().find(|(unit, _)| micros >= *unit);
    let (unit, word) = fit.unwrap_or(&(SECOND, "s"));
    format!("{} {word}", micros / unit)
}

/// The instant that an age before now (`2d`, `12h`, `30min`, `1w`) or a date means: `2026-01-21` at midnight here,
/// or a whole RFC 3339 time. `None` for anything else.
pub(crate) fn instant(text: &str, now: Timestamp) -> Option<Timestamp> {
    instant_in(text.trim(), now, &TimeZone::system())
}

fn instant_in(text: &str, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
    if let Ok(date) = text.parse::<jiff::civil::Date>() {
        let midnight = zone.to_timestamp(date.at(0, 0, 0, 0)).ok()?;
        return Some(Timestamp(midnight.as_microsecond()));
    }
    if let Ok(time) = Timestamp::parse(text) {
        return Some(time);
    }
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
    let (number, unit) = text.split_at(end);
    let unit = match unit.trim() {
        "s" => SECOND,
        "min" | "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        "w" => 7 * DAY,
        _ => return None,
    };
    let micros = number.parse::<f64>().ok()? * unit as f64;
    Some(Timestamp(now.0.saturating_sub(micros as i64)))
}

/// How long: `12 ms`, `1.25 s`, `3 min 4 s`, `2 h 5 min`, `3 d 4 h`.
pub(crate) fn span(micros: i64) -> String {
    let whole = |unit: i64, small: i64, words: (&str, &str)| {
        let (large, rest) = (micros / unit, micros % unit / small);
        if rest == 0 {
            format!("{large} {}", words.0)
        } else {
            format!("{large} {} {rest} {}", words.0, words.1)
        }
    };
    match micros {
        ..0 => format!("-{}", span(micros.saturating_neg())),
        0..SECOND => format!("{} ms", micros / 1000),
        SECOND..MINUTE => {
            let seconds = format!("{:.2}", micros as f64 / SECOND as f64);
            let shortest = seconds.trim_end_matches('0').trim_end_matches('.');
            format!("{shortest} s")
        }
        MINUTE..HOUR => whole(MINUTE, SECOND, ("min", "s")),
        HOUR..DAY => whole(HOUR, MINUTE, ("h", "min")),
        DAY.. => whole(DAY, HOUR, ("d", "h")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_dates_are_instants() {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let now = Timestamp::parse("2026-01-21T13:00:00Z").unwrap();
        let check = |text, expected: Option<&str>| {
            let found = instant_in(text, now, &zone);
            assert_eq!(
                found,
                expected.map(|it| Timestamp::parse(it).unwrap()),
                "{text}"
            );
        };
        check("2d", Some("2026-01-19T13:00:00Z"));
        check("1.5 h", Some("2026-01-21T11:30:00Z"));
        check("30min", Some("2026-01-21T12:30:00Z"));
        check("1w", Some("2026-01-14T13:00:00Z"));
        check("2026-01-20", Some("2026-01-19T23:00:00Z"));
        check("2026-01-20T10:00:00Z", Some("2026-01-20T10:00:00Z"));
        for bad in ["", "2", "d", "-2d", "2y", "soon", "2026-13-01"] {
            check(bad, None);
        }
    }

    #[test]
    fn times_and_spans_read_well() {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let time = Timestamp::parse("2026-01-21T13:00:12.345Z").unwrap();
        assert_eq!(in_zone(time, &zone), "2026-01-21 14:00:12 +01:00");
        assert_eq!(in_zone(Timestamp(i64::MAX), &zone), "9223372036854775807us");
        assert_eq!(age(time, Timestamp(time.0 + 200 * SECOND)), "3 min ago");
        assert_eq!(age(time, Timestamp(time.0 - 2 * SECOND)), "in 2 s");
        assert_eq!(age(time, time), "just now");
        assert_eq!(span(12_345), "12 ms");
        assert_eq!(span(1_250_000), "1.25 s");
        assert_eq!(span(30 * SECOND), "30 s");
        assert_eq!(span(184 * SECOND), "3 min 4 s");
        assert_eq!(span(2 * HOUR), "2 h");
        assert_eq!(span(76 * HOUR), "3 d 4 h");
    }
}
