//! Where a server is.
//!
//! Invariant: an address holds no name, password or token; one that has some is refused.

use std::fmt;

use crate::error::ClientError;

/// The address of a server: `http://host:port`, perhaps with a path before the API's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// Whether a text names a server rather than a folder.
    pub fn is_one(text: &str) -> bool {
        let scheme = text.split_once("://").map(|(scheme, _)| scheme);
        scheme.is_some_and(|it| it.eq_ignore_ascii_case("http") || it.eq_ignore_ascii_case("https"))
    }

    /// Reads an address.
    pub fn parse(text: &str) -> Result<Self, ClientError> {
        let refused = |why| ClientError::Address {
            address: without_secrets(text),
            why,
        };
        if !Self::is_one(text) {
            return Err(refused("it begins with neither `http://` nor `https://`"));
        }
        let (scheme, rest) = text.split_once("://").unwrap_or((text, ""));
        if rest.contains(['?', '#']) {
            return Err(refused("it has something behind `?` or `#`"));
        }
        let host = rest.split('/').next().unwrap_or(rest);
        if host.contains('@') {
            return Err(refused("it has a name or a password before `@`"));
        }
        if host.is_empty() || rest.contains(|letter: char| letter.is_whitespace()) {
            return Err(refused("it names no host"));
        }
        let scheme = scheme.to_ascii_lowercase();
        Ok(Self(format!("{scheme}://{}", rest.trim_end_matches('/'))))
    }

    /// The address of a path of the API.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Before the `@` of an address stand names and passwords, after the `?` tokens.
fn without_secrets(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = host.rsplit('@').next().unwrap_or(host);
    format!("{scheme}://{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_those_with_secrets_refused() {
        let read = |text: &str| Address::parse(text).map(|it| it.to_string());
        assert_eq!(read("http://host:5000/").unwrap(), "http://host:5000");
        assert_eq!(read("HTTPS://host/base/").unwrap(), "https://host/base");
        for refused in [
            "http://",
            "ftp://host",
            "http://me:pass@host",
            "http://host/?token=a",
            "http://a b",
        ] {
            let told = read(refused).unwrap_err().to_string();
            assert!(!told.contains("pass") && !told.contains("token"), "{told}");
        }
        assert!(!Address::is_one("folder") && !Address::is_one("postgres://x"));
    }
}
