//! The query of a request: names and values without their escapes.
//!
//! Not here: which names there are. Invariant: every query is read; what is no escape stays as it is.

/// The names and values of a query, decoded.
pub(crate) fn pairs(query: Option<&str>) -> impl Iterator<Item = (String, String)> {
    let parts = query.unwrap_or_default().split('&');
    parts.filter(|part| !part.is_empty()).map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (decoded(name), decoded(value))
    })
}

/// A text without its escapes.
pub(crate) fn unescaped(text: &str) -> String {
    decoded(text)
}

/// A part of a query without its escapes: `+` is a blank, `%41` is `A`; what is no escape stays.
fn decoded(text: &str) -> String {
    if !text.contains(['%', '+']) {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        let escape = match behind {
            [high, low, ..] if *first == b'%' => nibble(*high).zip(nibble(*low)),
            _ => None,
        };
        bytes.push(match (escape, first) {
            (Some((high, low)), _) => {
                rest = &behind[2..];
                high << 4 | low
            }
            (None, b'+') => b' ',
            (None, other) => *other,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn nibble(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}
