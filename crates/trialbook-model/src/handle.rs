//! Names of runs and experiments as people type and read them: prefixes, handles, globs, short forms.
//!
//! Not here: looking anything up; candidates are given as plain data. What a text means is decided in
//! this order, and the first reading that fits any candidate holds: `latest` and `EXP-001/latest`; a whole
//! uid; a name, an experiment's handle or an alias, verbatim (so that names with `/` win); a path such as
//! `EXP-001/run-014` or `project/name`; `run-14`; the first digits of a uid; a glob.
//! Invariant: resolving depends on the candidates as a set, except for the order of what it lists.

use std::str::FromStr as _;

use crate::id::Uid;
use crate::time::Timestamp;

/// Fewer digits than this are not read as the beginning of a uid.
pub const LEAST_PREFIX: usize = 4;
/// Digits of the short form where they are unique.
const SHORT: usize = 8;
/// Candidates looked at for a resembling name: the last so many.
const MOST_RESEMBLING: usize = 10_000;
/// Resembling names told.
const MOST_NEAREST: usize = 3;
/// Less alike than this is not worth telling.
const LEAST_ALIKE: f64 = 0.75;

/// A run or experiment that a text may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// Its uid.
    pub uid: Uid,
    /// Its dense number, by which `latest` is decided.
    pub no: u64,
    /// Its project.
    pub project: &'a str,
    /// The handle of the experiment, or of its experiment, such as `EXP-001`.
    pub handle: Option<&'a str>,
    /// The name of the experiment, or of its experiment.
    pub experiment: &'a str,
    /// What only a run has.
    pub run: Option<RunPart<'a>>,
    /// Ids given by others.
    pub aliases: &'a [String],
}

/// What names a run inside its experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunPart<'a> {
    /// N of `run-N`, once it has one.
    pub number: Option<u64>,
    /// Its name.
    pub name: &'a str,
}

/// What a text means among some candidates; numbers are places in their slice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// This one.
    One(usize),
    /// None; these names resemble it, the most alike first.
    None {
        /// At most three.
        nearest: Vec<String>,
    },
    /// Several, in the order of the slice.
    Many(Vec<usize>),
}

/// Finds what a text means.
pub fn resolve(text: &str, candidates: &[Candidate<'_>]) -> Resolution {
    let text = text.trim();
    if text == "latest" {
        return latest(candidates.iter().enumerate());
    }
    if let Some(path) = text.strip_suffix("/latest")
        && places(candidates, |it| it.is_called(text)).is_empty()
    {
        let numbered = candidates.iter().enumerate();
        return latest(numbered.filter(|(_, it)| it.run.is_some() && it.is_experiment(path)));
    }
    let found = verbatim(text, candidates);
    if !found.is_empty() {
        return several(found);
    }
    if is_glob(text) {
        let found = places(candidates, |it| {
            it.any_text(|name| glob_matches(text, name))
        });
        if !found.is_empty() {
            return several(found);
        }
    }
    Resolution::None {
        nearest: nearest(text, candidates),
    }
}

/// The candidates that a text means by any reading before that as a glob, by the first that fits any; `latest` is none.
pub fn verbatim(text: &str, candidates: &[Candidate<'_>]) -> Vec<usize> {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    let whole = Uid::from_str(&lower).ok();
    let number = parse_run_label(text);
    let hex = lower.bytes().all(|c| c.is_ascii_hexdigit());
    let is_prefix = hex && (LEAST_PREFIX..=32).contains(&lower.len());
    let readings: [&dyn Fn(&Candidate<'_>) -> bool; 5] = [
        &|it| whole == Some(it.uid),
        &|it| it.is_called(text),
        &|it| it.is_at_path(text),
        &|it| number.is_some() && it.number() == number,
        &|it| is_prefix && it.uid.to_string().starts_with(&lower),
    ];
    readings
        .into_iter()
        .map(|fits| places(candidates, fits))
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}

fn places(candidates: &[Candidate<'_>], fits: impl Fn(&Candidate<'_>) -> bool) -> Vec<usize> {
    let numbered = candidates.iter().enumerate();
    numbered
        .filter(|(_, it)| fits(it))
        .map(|(at, _)| at)
        .collect()
}

fn several(found: Vec<usize>) -> Resolution {
    match found[..] {
        [one] => Resolution::One(one),
        _ => Resolution::Many(found),
    }
}

fn latest<'a, 'b: 'a>(of: impl Iterator<Item = (usize, &'a Candidate<'b>)>) -> Resolution {
    match of.max_by_key(|(_, it)| (it.no, it.uid)) {
        Some((at, _)) => Resolution::One(at),
        None => Resolution::None {
            nearest: Vec::new(),
        },
    }
}

impl Candidate<'_> {
    fn number(&self) -> Option<u64> {
        self.run.and_then(|run| run.number)
    }

    /// Its own name: the run's, or the experiment's.
    fn name(&self) -> &str {
        self.run.map_or(self.experiment, |run| run.name)
    }

    fn is_called(&self, text: &str) -> bool {
        let by_handle = self.run.is_none() && self.has_handle(text);
        self.name() == text || by_handle || self.aliases.iter().any(|alias| alias == text)
    }

    /// Handles are compared in any case.
    fn has_handle(&self, text: &str) -> bool {
        self.handle.is_some_and(|it| it.eq_ignore_ascii_case(text))
    }

    /// Whether the text names its experiment: by handle, by name, or as `project/name`.
    pub fn is_experiment(&self, text: &str) -> bool {
        let in_project = text
            .strip_prefix(self.project)
            .and_then(|rest| rest.strip_prefix('/'));
        [Some(text), in_project]
            .into_iter()
            .flatten()
            .any(|text| text == self.experiment || self.has_handle(text))
    }

    fn is_at_path(&self, text: &str) -> bool {
        let Some(run) = self.run else {
            return self.is_experiment(text);
        };
        // Both names may hold slashes: every cut is tried.
        text.match_indices('/').any(|(at, _)| {
            let (path, last) = (&text[..at], &text[at + 1..]);
            let numbered = run.number.is_some() && run.number == parse_run_label(last);
            (last == run.name || numbered) && self.is_experiment(path)
        })
    }

    /// Whether any text that names it passes.
    fn any_text(&self, passes: impl Fn(&str) -> bool) -> bool {
        let mut experiment = vec![self.experiment.to_owned()];
        experiment.extend(self.handle.map(str::to_owned));
        let mut texts = vec![self.uid.to_string()];
        texts.extend(self.aliases.iter().cloned());
        match self.run {
            None => texts.extend(experiment),
            Some(run) => {
                let label = run.number.map(run_label);
                let own = [Some(run.name.to_owned()), label].into_iter().flatten();
                for own in own {
                    texts.extend(experiment.iter().map(|it| format!("{it}/{own}")));
                    texts.push(own);
                }
            }
        }
        texts
            .iter()
            .any(|text| passes(text) || passes(&format!("{}/{text}", self.project)))
    }
}

fn nearest(text: &str, candidates: &[Candidate<'_>]) -> Vec<String> {
    let from = candidates.len().saturating_sub(MOST_RESEMBLING);
    let mut names: Vec<&str> = candidates[from..]
        .iter()
        .flat_map(|it| [Some(it.name()), it.handle])
        .flatten()
        .collect();
    names.sort_unstable();
    names.dedup();
    let mut alike: Vec<(f64, &str)> = names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(text, name), name))
        .filter(|(alike, _)| *alike >= LEAST_ALIKE)
        .collect();
    alike.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(right.1)));
    alike
        .into_iter()
        .take(MOST_NEAREST)
        .map(|(_, name)| name.to_owned())
        .collect()
}

/// Whether a text means the newest run, so that nothing else of that name could be found.
pub fn is_reserved(name: &str) -> bool {
    name.trim() == "latest"
}

/// Whether a text has a wildcard, and so may mean several.
pub fn is_glob(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Whether a whole text fits a pattern: `*` stands for any text, `?` for one character.
pub fn glob_matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where to go on when the text stops fitting: after the last star, one character further.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                p += 1;
                retry = Some((p, t));
            }
            Some(&c) if c == '?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            Some(_) | None => {
                let Some((star, from)) = retry else {
                    return false;
                };
                retry = Some((star, from + 1));
                p = star;
                t = from + 1;
            }
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}

/// `run-014`: three digits at least.
pub fn run_label(number: u64) -> String {
    format!("run-{number:03}")
}

/// The number of `run-014`, with or without leading zeros, in any case.
pub fn parse_run_label(text: &str) -> Option<u64> {
    let (word, digits) = text.split_once('-')?;
    let plain = digits.bytes().all(|digit| digit.is_ascii_digit());
    if !word.eq_ignore_ascii_case("run") || !plain {
        return None;
    }
    digits.parse().ok()
}

/// The short form of a uid among all of them, sorted: 8 digits, longer until no other begins so.
pub fn short(sorted: &[Uid], uid: Uid) -> String {
    let text = uid.to_string();
    let at = sorted.partition_point(|other| *other < uid);
    let after = sorted[at..].iter().find(|other| **other != uid);
    let before = at.checked_sub(1).map(|before| &sorted[before]);
    let unique = [before, after]
        .into_iter()
        .flatten()
        .map(|other| {
            let other = other.to_string();
            let alike = text.bytes().zip(other.bytes()).take_while(|(a, b)| a == b);
            alike.count() + 1
        })
        .max()
        .unwrap_or(0);
    text[..unique.clamp(SHORT, text.len())].to_owned()
}

/// A short id of an experiment as the documents of other trackers write it: `exp-` and six digits of base 36,
/// made from random bytes.
pub fn experiment_alias(uid: Uid) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut rest = uid
        .0
        .iter()
        .fold(0_u128, |sum, byte| sum << 8 | u128::from(*byte));
    let mut text = String::from("exp-");
    for _ in 0..6 {
        text.push(char::from(DIGITS[(rest % 36) as usize]));
        rest /= 36;
    }
    text
}

/// The default name of a run: `run_YYYYMMDD_HHMMSS` in UTC (M-3), then four digits of its uid, more until
/// the name is not taken, so that runs of one second differ.
pub fn default_run_name(time: Timestamp, uid: Uid, is_taken: impl Fn(&str) -> bool) -> String {
    let stem = match jiff::Timestamp::from_microsecond(time.0) {
        Ok(instant) => jiff::tz::TimeZone::UTC
            .to_datetime(instant)
            .strftime("run_%Y%m%d_%H%M%S")
            .to_string(),
        Err(_beyond_calendars) => "run".to_owned(),
    };
    let digits = uid.to_string();
    let name = |length: usize| format!("{stem}_{}", &digits[..length]);
    (4..digits.len())
        .map(name)
        .find(|name| !is_taken(name))
        .unwrap_or_else(|| name(digits.len()))
}

#[cfg(test)]
mod tests;
