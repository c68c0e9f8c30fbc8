//! Finds secrets in a text by what they look like: keys of known makers, PEM blocks, bearer headers, URLs
//! with credentials.
//!
//! Not here: names beside values. Invariant: one pass over the bytes; a text without a suspicious pair of
//! bytes is only read, never copied. Invariant: a secret found begins at a word's start, so
//! `task-…` is not taken for `sk-…`.

use std::ops::Range;

use super::name::is_secret_name;

/// A piece of a text that is to go, and what it looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) range: Range<usize>,
    pub(super) what: String,
}

/// A key that begins in a way that its maker promises.
struct Pattern {
    what: &'static str,
    prefix: &'static str,
    /// Bytes after the prefix, at least.
    least: usize,
    /// Bytes allowed beside letters and digits.
    also: &'static [u8],
}

const fn pattern(
    what: &'static str,
    prefix: &'static str,
    least: usize,
    also: &'static [u8],
) -> Pattern {
    Pattern {
        what,
        prefix,
        least,
        also,
    }
}

const PATTERNS: [Pattern; 30] = [
    pattern("api key", "sk-", 16, b"-_"),
    pattern("api key", "sk_live_", 16, b"_"),
    pattern("api key", "sk_test_", 16, b"_"),
    pattern("api key", "rk_live_", 16, b"_"),
    pattern("api key", "gsk_", 20, b"_"),
    pattern("api key", "xai-", 20, b"-_"),
    pattern("api key", "AIza", 30, b"-_"),
    pattern("api key", "nvapi-", 20, b"-_"),
    pattern("api key", "r8_", 30, b""),
    pattern("api key", "SG.", 20, b"-_."),
    pattern("github token", "ghp_", 20, b"_"),
    pattern("github token", "gho_", 20, b"_"),
    pattern("github token", "ghu_", 20, b"_"),
    pattern("github token", "ghs_", 20, b"_"),
    pattern("github token", "ghr_", 20, b"_"),
    pattern("github token", "github_pat_", 20, b"_"),
    pattern("gitlab token", "glpat-", 16, b"-_"),
    pattern("aws key", "AKIA", 16, b""),
    pattern("aws key", "ASIA", 16, b""),
    pattern("slack token", "xoxa-", 10, b"-"),
    pattern("slack token", "xoxb-", 10, b"-"),
    pattern("slack token", "xoxe-", 10, b"-"),
    pattern("slack token", "xoxp-", 10, b"-"),
    pattern("slack token", "xoxr-", 10, b"-"),
    pattern("slack token", "xoxs-", 10, b"-"),
    pattern("slack token", "xapp-", 10, b"-"),
    pattern("hugging face token", "hf_", 20, b""),
    pattern("npm token", "npm_", 30, b""),
    pattern("pypi token", "pypi-", 40, b"-_"),
    pattern("oauth token", "ya29.", 20, b"-_."),
];

const PEM: &str = "-----BEGIN ";
/// Bytes looked at before something is taken for a key, so that no text costs quadratic time.
const MOST_LOOK: usize = 128;
/// The same for the head of a web token, which may hold certificates' names.
const MOST_HEAD: usize = 1024;
/// The longest scheme of a URL that is looked for.
const MOST_SCHEME: usize = 24;
/// One bit for each pair of bytes: whether something to be found may begin with them. Pairs, because the
/// first bytes alone are common letters.
static SUSPICIOUS: [u64; 1024] = {
    const CASES: [u8; 2] = [0, b'a' - b'A'];
    let mut table = mark([0; 1024], b':', b'/');
    table = mark(table, b'-', b'-');
    table = mark(table, b'e', b'y');
    let mut at = 0;
    while at < 4 {
        let (first, second) = (CASES[at / 2], CASES[at % 2]);
        table = mark(table, b'B' + first, b'E' + second);
        table = mark(table, b'B' + first, b'A' + second);
        table = mark(table, b'T' + first, b'O' + second);
        at += 1;
    }
    let mut at = 0;
    while at < PATTERNS.len() {
        let prefix = PATTERNS[at].prefix.as_bytes();
        table = mark(table, prefix[0], prefix[1]);
        at += 1;
    }
    table
};

const fn mark(mut table: [u64; 1024], first: u8, second: u8) -> [u64; 1024] {
    let pair = (first as usize) << 8 | second as usize;
    table[pair / 64] |= 1 << (pair % 64);
    table
}

fn is_suspicious(first: u8, second: u8) -> bool {
    let pair = usize::from(first) << 8 | usize::from(second);
    SUSPICIOUS[pair / 64] >> (pair % 64) & 1 == 1
}

/// All hits, in order; those of one URL may follow hits inside it.
pub(super) fn scan(text: &str) -> Vec<Hit> {
    let bytes = text.as_bytes();
    let mut hits: Vec<Hit> = Vec::new();
    let mut at = 0;
    let mut url_end = 0;
    while at + 1 < bytes.len() {
        if !is_suspicious(bytes[at], bytes[at + 1]) {
            at += 1;
        } else if bytes[at..].starts_with(b"://") {
            let start = at + "://".len();
            if at >= url_end {
                // A URL inside the query of another is in the same run of bytes: parameters are read once.
                let ends = |c: char| c.is_whitespace() || c.is_control() || "\"'`<>".contains(c);
                url_end = text[start..]
                    .find(ends)
                    .map_or(text.len(), |end| start + end);
                hits.extend(parameters(text, start..url_end));
                hits.extend(webhook(text, start..url_end));
            }
            hits.extend(user_part(text, at, url_end));
            at = start;
        } else if let Some(found) = look(text, at) {
            at = found.range.end;
            hits.push(found);
        } else {
            at += 1;
        }
    }
    hits
}

/// The secret that begins there.
fn look(text: &str, at: usize) -> Option<Hit> {
    let bytes = text.as_bytes();
    let rest = &bytes[at..];
    if rest.starts_with(PEM.as_bytes()) {
        return pem(&text[at..]).map(|length| hit(at..at + length, "private key"));
    }
    if at > 0 && bytes[at - 1].is_ascii_alphanumeric() {
        return None;
    }
    let token = PATTERNS.iter().find_map(|pattern| {
        if pattern.prefix.as_bytes()[0] != rest[0] {
            return None;
        }
        let body = rest.strip_prefix(pattern.prefix.as_bytes())?;
        let near = run(&body[..body.len().min(MOST_LOOK)], pattern.also);
        // Words joined by dashes look like keys, but have no digit.
        let real = near >= pattern.least && body[..near].iter().any(u8::is_ascii_digit);
        real.then(|| {
            let length = pattern.prefix.len() + run(body, pattern.also);
            hit(at..at + length, pattern.what)
        })
    });
    token
        .or_else(|| web_token(rest).map(|length| hit(at..at + length, "json web token")))
        .or_else(|| bearer(rest).map(|it| hit(at + it.start..at + it.end, "bearer token")))
}

fn hit(range: Range<usize>, what: &str) -> Hit {
    Hit {
        range,
        what: what.to_owned(),
    }
}

/// Length of the letters, digits and other allowed bytes at the start.
fn run(bytes: &[u8], also: &[u8]) -> usize {
    bytes
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || also.contains(byte))
        .count()
}

/// `eyJ….….…`
fn web_token(rest: &[u8]) -> Option<usize> {
    if !rest.starts_with(b"eyJ") {
        return None;
    }
    let head = run(&rest[..rest.len().min(MOST_HEAD)], b"-_");
    if head < 10 || rest.get(head) != Some(&b'.') {
        return None;
    }
    let body = run(&rest[head + 1..], b"-_");
    if body < 10 {
        return None;
    }
    let mut length = head + 1 + body;
    if rest.get(length) == Some(&b'.') {
        length += 1 + run(&rest[length + 1..], b"-_");
    }
    Some(length)
}

/// The token of `Bearer …`, `Basic …` and `Token …`, in any case.
fn bearer(rest: &[u8]) -> Option<Range<usize>> {
    /// Shorter words after these are plain speech.
    const LEAST: usize = 12;
    let scheme: &[u8] = [b"bearer".as_slice(), b"basic", b"token"]
        .into_iter()
        .find(|word| rest.len() > word.len() && rest[..word.len()].eq_ignore_ascii_case(word))?;
    let blanks = rest[scheme.len()..]
        .iter()
        .take_while(|c| **c == b' ')
        .count();
    let start = scheme.len() + blanks;
    let length = run(&rest[start..], b"-._~+/=");
    let body = &rest[start..start + length];
    let speech = body.iter().all(u8::is_ascii_lowercase);
    let path = body.contains(&b'/') && body.contains(&b'.');
    (blanks > 0 && length >= LEAST && !speech && !path).then_some(start..start + length)
}

/// Length of a PEM block of a private key; where it is not closed, to the last line that can belong to it.
fn pem(text: &str) -> Option<usize> {
    const KIND: &str = "PRIVATE KEY";
    let is_label = |c: &u8| c.is_ascii_uppercase() || *c == b' ';
    let label_end = text.bytes().skip(PEM.len()).take_while(is_label).count() + PEM.len();
    let label = &text[PEM.len()..label_end];
    if !label.contains(KIND) {
        return None;
    }
    let close = format!("-----END {label}-----");
    let length = match text.find(&close) {
        Some(at) => at + close.len(),
        None => unclosed(text),
    };
    Some(length)
}

/// Length of a PEM block without its end: its first line and the lines of base64 or headers behind it.
fn unclosed(text: &str) -> usize {
    let is_body = |line: &str| {
        let base64 = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/' | b'=');
        let line = line.trim_end();
        line.bytes().all(base64) || line.starts_with("Proc-Type:") || line.starts_with("DEK-Info:")
    };
    let lines = text.split_inclusive('\n').enumerate();
    lines
        .take_while(|(at, line)| *at == 0 || is_body(line))
        .map(|(_, line)| line.len())
        .sum()
}

/// The user part of the URL whose `://` stands there, when it holds a password, or a lone name before an
/// http host (where it is a token).
fn user_part(text: &str, colon: usize, end: usize) -> Option<Hit> {
    let bytes = text.as_bytes();
    let is_scheme = |c: &&u8| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'-' | b'.');
    let window = &bytes[colon.saturating_sub(MOST_SCHEME)..colon];
    let length = window.iter().rev().take_while(is_scheme).count();
    let scheme = &text[colon - length..colon];
    let start = colon + "://".len();
    let whole = &bytes[start..end.max(start)];
    let authority = whole
        .iter()
        .take_while(|c| !matches!(c, b'/' | b'?' | b'#'))
        .count();
    let last_at = |of: &[u8]| of.iter().rposition(|c| *c == b'@');
    // A password may hold a slash that should have been escaped; digits after a colon are a port.
    let slashed = || {
        let colon = whole[..authority].iter().position(|c| *c == b':')?;
        let port = whole[colon + 1..authority].iter().all(u8::is_ascii_digit);
        let near = &whole[..whole.len().min(MOST_LOOK)];
        last_at(near).filter(|_| !port)
    };
    let user = last_at(&whole[..authority]).or_else(slashed)?;
    let lone_name = !whole[..user].contains(&b':');
    let scheme = scheme.to_ascii_lowercase();
    let is_http = ["http", "https"].iter().any(|http| scheme.ends_with(http));
    let harmless = user == 0 || length == 0 || lone_name && !is_http;
    (!harmless).then(|| hit(start..start + user, "credentials in a url"))
}

/// The path of a URL to which whoever knows it may post.
fn webhook(text: &str, url: Range<usize>) -> Option<Hit> {
    const KINDS: [&str; 3] = ["services", "workflows", "triggers"];
    const HOST: &str = "hooks.slack.com/";
    let whole = &text[url.clone()];
    let host = whole.get(..HOST.len())?;
    let (kind, path) = whole[HOST.len()..].split_once('/')?;
    let is_one = host.eq_ignore_ascii_case(HOST) && KINDS.contains(&kind) && !path.is_empty();
    is_one.then(|| hit(url.end - path.len()..url.end, "slack webhook"))
}

fn parameters(text: &str, url: Range<usize>) -> Vec<Hit> {
    let whole = &text[url.clone()];
    let Some(query) = whole.find(['?', '#']) else {
        return Vec::new();
    };
    let mut hits = Vec::new();
    let mut from = query + 1;
    for part in whole[from..].split(['&', ';', '#', '?']) {
        if let Some((name, value)) = part.split_once('=')
            && is_secret_parameter(name)
            && !value.is_empty()
        {
            let start = url.start + from + name.len() + 1;
            hits.push(hit(start..start + value.len(), name));
        }
        from += part.len() + 1;
    }
    hits
}

fn is_secret_parameter(name: &str) -> bool {
    is_secret_name(name) || name.eq_ignore_ascii_case("x-amz-credential") || name == "key"
}
