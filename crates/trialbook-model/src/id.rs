//! Identities: uids minted by writers, dense numbers given by the book.
//!
//! A uid is 16 random bytes shown as 32 lower-case hex digits. Time order never comes from a uid;
//! it comes from the dense number `no` and from start times.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A source of random bytes, passed in so that simulations are repeatable.
pub trait Entropy {
    /// Fills `bytes` with random bytes.
    fn fill(&mut self, bytes: &mut [u8]);
}

/// 16 random bytes, shown as 32 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Uid(pub [u8; 16]);

/// Why a text is not a uid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id of 32 lower-case hex digits")]
pub struct UidError {
    /// The text as given.
    pub text: String,
}

impl Uid {
    /// Draws a new uid.
    pub fn mint(entropy: &mut dyn Entropy) -> Self {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes);
        Self(bytes)
    }

    /// The first 8 hex digits, the short form shown to people where it is unique.
    pub fn short(&self) -> String {
        self.to_string()[..8].to_owned()
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0_u8; 32];
        for (at, byte) in self.0.iter().enumerate() {
            text[at * 2] = DIGITS[usize::from(byte >> 4)];
            text[at * 2 + 1] = DIGITS[usize::from(byte & 15)];
        }
        f.pad(std::str::from_utf8(&text).map_err(|_invalid| fmt::Error)?)
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Uid {
    type Err = UidError;

    fn from_str(text: &str) -> Result<Self, UidError> {
        let fail = || UidError {
            text: text.to_owned(),
        };
        let digits = text.as_bytes();
        if digits.len() != 32 {
            return Err(fail());
        }
        let mut bytes = [0; 16];
        for (at, pair) in digits.chunks_exact(2).enumerate() {
            let high = hex_value(pair[0]).ok_or_else(fail)?;
            let low = hex_value(pair[1]).ok_or_else(fail)?;
            bytes[at] = high << 4 | low;
        }
        Ok(Self(bytes))
    }
}

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl Serialize for Uid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Uid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Uid;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("32 hex digits or 16 bytes")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Uid, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Uid, E> {
                bytes.try_into().map(Uid).map_err(E::custom)
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Uid, A::Error> {
                let mut bytes = [0; 16];
                for (at, slot) in bytes.iter_mut().enumerate() {
                    *slot = seq
                        .next_element()?
                        .ok_or_else(|| serde::de::Error::invalid_length(at, &self))?;
                }
                Ok(Uid(bytes))
            }
        }
        if deserializer.is_human_readable() {
            deserializer.deserialize_str(Visitor)
        } else {
            deserializer.deserialize_bytes(Visitor)
        }
    }
}

macro_rules! uid_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uid);

        impl $name {
            /// Draws a new one.
            pub fn mint(entropy: &mut dyn Entropy) -> Self {
                Self(Uid::mint(entropy))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = UidError;
            fn from_str(text: &str) -> Result<Self, UidError> {
                text.parse().map(Self)
            }
        }
    };
}

uid_newtype!(
    /// Identity of a run, minted by the writer that starts it.
    RunUid
);
uid_newtype!(
    /// Identity of an experiment, minted by the writer that first names it. Several uids may come to
    /// mean one experiment: the first sealed wins and later ones become its aliases.
    ExperimentUid
);
uid_newtype!(
    /// Identity of an entry of a book's register (a collection, a version, a logged model, a webhook), minted by
    /// the writer that makes it. Several uids may come to mean one collection, as with experiments.
    EntryUid
);
uid_newtype!(
    /// Identity of one writer process (one spool lineage).
    WriterUid
);
uid_newtype!(
    /// Identity of one write operation, for idempotent retries.
    OperationUid
);

macro_rules! dense_number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

dense_number!(
    /// Dense number of a run inside one book, given when it is first sealed; 1 is the first.
    RunNo
);
dense_number!(
    /// Dense number of an experiment inside one book; 0 is the experiment `Default`.
    ExperimentNo
);
dense_number!(
    /// Dense number of an entry of the register inside one book, given when it is first sealed; 1 is the first.
    EntryNo
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uid_text_round_trips_and_refuses_other_forms() {
        let text = "00ff10a07b3c4d5e6f708192a3b4c5d6";
        let uid: Uid = text.parse().unwrap();
        assert_eq!(uid.to_string(), text);
        assert_eq!(uid.short(), "00ff10a0");
        for bad in [
            "",
            "00FF10A07B3C4D5E6F708192A3B4C5D6",
            "00ff",
            "zz".repeat(16).as_str(),
        ] {
            assert!(bad.parse::<Uid>().is_err(), "{bad}");
        }
        assert_eq!(
            serde_json::from_str::<Uid>(&format!("\"{text}\"")).unwrap(),
            uid
        );
    }
}
