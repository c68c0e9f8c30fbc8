//! Reads the parameters of a query into a type.
//!
//! A list is written `a,b`, or by naming its parameter several times. Invariant: a parameter that takes one
//! value and is there twice is refused.

use serde::de::value::StringDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer as _, MapAccess,
    SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::Unreadable;

/// Reads a query, without its question mark.
pub fn read_query<T: DeserializeOwned>(query: &str) -> Result<T, Unreadable> {
    let mut parameters: Vec<(String, Vec<String>)> = Vec::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let (name, value) = (decoded(name)?, decoded(value)?);
        match parameters.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => parameters.push((name, vec![value])),
        }
    }
    T::deserialize(Parameters {
        pairs: parameters.into_iter(),
        value: None,
    })
}

/// The text that a part of a query stands for.
fn decoded(part: &str) -> Result<String, Unreadable> {
    let odd = || Unreadable::Query {
        part: part.to_owned(),
    };
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(rest.next()), digit(rest.next()));
                let (high, low) = high.zip(low).ok_or_else(odd)?;
                bytes.push((high * 16 + low) as u8);
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).map_err(|_bytes| odd())
}

struct Parameters {
    pairs: std::vec::IntoIter<(String, Vec<String>)>,
    value: Option<(String, Vec<String>)>,
}

impl<'de> Deserializer<'de> for Parameters {
    type Error = Unreadable;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_map(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

impl<'de> MapAccess<'de> for Parameters {
    type Error = Unreadable;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Unreadable> {
        let Some((name, values)) = self.pairs.next() else {
            return Ok(None);
        };
        self.value = Some((name.clone(), values));
        let name: StringDeserializer<Unreadable> = name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<T::Value, Unreadable> {
        let (name, values) = self.value.take().expect("a key was asked for before");
        let read = seed.deserialize(Values(values));
        read.map_err(|error| error.under(&name))
    }
}

/// What was said of one parameter.
struct Values(Vec<String>);

impl Values {
    fn one(mut self) -> Result<String, Unreadable> {
        match (self.0.pop(), self.0.is_empty()) {
            (Some(value), true) => Ok(value),
            (Some(_) | None, _) => Err(Unreadable::Twice {
                field: String::new(),
            }),
        }
    }

    fn parsed<T: std::str::FromStr>(self, expected: &str) -> Result<T, Unreadable> {
        let text = self.one()?;
        let told = |_error| de::Error::custom(format_args!("`{text}` is not {expected}"));
        text.parse().map_err(told)
    }
}

/// A whole number of each kind, read from its digits.
macro_rules! numbers {
    ($($method:ident $visit:ident $of:ty, $expected:literal;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
            visitor.$visit(self.parsed::<$of>($expected)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Values {
    type Error = Unreadable;

    numbers! {
        deserialize_bool visit_bool bool, "`true` or `false`";
        deserialize_i8 visit_i8 i8, "a small whole number";
        deserialize_i16 visit_i16 i16, "a small whole number";
        deserialize_i32 visit_i32 i32, "a whole number";
        deserialize_i64 visit_i64 i64, "a whole number";
        deserialize_u8 visit_u8 u8, "a whole number from 0 to 255";
        deserialize_u16 visit_u16 u16, "a whole number from 0 to 65535";
        deserialize_u32 visit_u32 u32, "a whole number from 0";
        deserialize_u64 visit_u64 u64, "a whole number from 0";
        deserialize_f32 visit_f32 f32, "a number";
        deserialize_f64 visit_f64 f64, "a number";
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_string(self.one()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        let word: StringDeserializer<Unreadable> = self.one()?.into_deserializer();
        visitor.visit_enum(word)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        let parts = self.0.iter().flat_map(|value| value.split(','));
        let parts: Vec<String> = parts
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        visitor.visit_seq(Parts(parts.into_iter()))
    }

    forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct tuple tuple_struct map struct
        identifier ignored_any
    }
}

struct Parts(std::vec::IntoIter<String>);

impl<'de> SeqAccess<'de> for Parts {
    type Error = Unreadable;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Unreadable> {
        let Some(part) = self.0.next() else {
            return Ok(None);
        };
        seed.deserialize(Values(vec![part])).map(Some)
    }
}
