//! The part of a file that a request asks for, and what kind of file it is.
//!
//! Invariant: a range lies inside of the file; several ranges and other units are passed over, as HTTP allows.

use axum::http::{HeaderMap, header};

/// What is asked for of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it.
    All,
    /// Bytes from a place, so many.
    Part(u64, u64),
    /// Something beyond its end.
    Beyond,
}

/// What a request asks for of a file of `size` bytes.
pub(super) fn wanted(headers: &HeaderMap, size: u64) -> Wanted {
    let range = headers.get(header::RANGE).and_then(|it| it.to_str().ok());
    let range = range.and_then(|range| range.trim().strip_prefix("bytes="));
    let Some((first, last)) = range.and_then(|range| range.split_once('-')) else {
        return Wanted::All;
    };
    let (first, last) = (first.trim(), last.trim());
    match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), last_given) if last.is_empty() || last_given.is_ok() => {
            let last = last_given
                .map_or(u64::MAX, |last| last)
                .min(size.saturating_sub(1));
            if first >= size {
                Wanted::Beyond
            } else if last < first {
                Wanted::All
            } else {
                Wanted::Part(first, last - first + 1)
            }
        }
        (Err(_), Ok(length)) if first.is_empty() => match length.min(size) {
            0 => Wanted::Beyond,
            length => Wanted::Part(size - length, length),
        },
        (Ok(_) | Err(_), Ok(_) | Err(_)) => Wanted::All,
    }
}

/// Files that are shown as text.
const TEXTS: [&str; 29] = [
    "txt",
    "log",
    "err",
    "cfg",
    "conf",
    "cnf",
    "cf",
    "ini",
    "properties",
    "prop",
    "hocon",
    "toml",
    "yaml",
    "yml",
    "xml",
    "json",
    "js",
    "py",
    "py3",
    "csv",
    "tsv",
    "md",
    "rst",
    "mlmodel",
    "mlproject",
    "jsonl",
    "sh",
    "rs",
    "sql",
];

/// Files that browsers know, by their endings.
const KINDS: [(&str, &str); 17] = [
    ("html", "text/html"),
    ("htm", "text/html"),
    ("css", "text/css"),
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("svg", "image/svg+xml"),
    ("webp", "image/webp"),
    ("bmp", "image/bmp"),
    ("pdf", "application/pdf"),
    ("zip", "application/zip"),
    ("tar", "application/x-tar"),
    ("mp3", "audio/mpeg"),
    ("wav", "audio/x-wav"),
    ("mp4", "video/mp4"),
    ("webm", "video/webm"),
];

/// What kind of file a path names, as far as its ending tells.
pub(super) fn kind_of(path: &str) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or_default();
    let ending = name
        .rsplit('.')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    if TEXTS.contains(&ending.as_str()) {
        return "text/plain";
    }
    let known = KINDS.iter().find(|(known, _)| *known == ending);
    known.map_or("application/octet-stream", |(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_lie_inside_of_the_file() {
        for (range, expected) in [
            ("bytes=0-3", Wanted::Part(0, 4)),
            ("bytes=5-", Wanted::Part(5, 5)),
            ("bytes=8-99", Wanted::Part(8, 2)),
            ("bytes=-3", Wanted::Part(7, 3)),
            ("bytes=-99", Wanted::Part(0, 10)),
            ("bytes=10-", Wanted::Beyond),
            ("bytes=-0", Wanted::Beyond),
            ("bytes=5-3", Wanted::All),
            ("bytes=0-1,4-5", Wanted::All),
            ("bytes=a-b", Wanted::All),
            ("lines=1-2", Wanted::All),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, range.parse().unwrap());
            assert_eq!(wanted(&headers, 10), expected, "{range}");
        }
        assert_eq!(wanted(&HeaderMap::new(), 10), Wanted::All);
    }

    #[test]
    fn endings_tell_kinds() {
        for (path, kind) in [
            ("a/MLmodel", "text/plain"),
            ("a/plot.PNG", "image/png"),
            ("model.pkl", "application/octet-stream"),
            ("a.b/c", "application/octet-stream"),
        ] {
            assert_eq!(kind_of(path), kind, "{path}");
        }
    }
}
