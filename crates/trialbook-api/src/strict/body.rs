//! Reads a JSON body into a type, and keeps the way to what is wrong.
//!
//! Not here: limits of its size. Invariant: a key that stands twice in one object is refused, and nothing is
//! deeper than [`DEEPEST`], so that no body can exhaust the stack.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::StringDeserializer;
use serde::de::{
    self, Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess,
    IntoDeserializer as _, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::value::RawValue;

use super::Unreadable;

/// Lists and objects inside each other.
const DEEPEST: usize = 64;

/// Reads a JSON body; an empty one counts as `{}`.
pub fn read_body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unreadable> {
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    let raw: &RawValue = serde_json::from_slice(bytes).map_err(|error| Unreadable::Json {
        reason: reason_of(&error),
        position: position_of(bytes, &error),
    })?;
    T::deserialize(Given { raw, depth: 0 })
}

/// The message without the place, which is told beside it.
fn reason_of(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

fn position_of(bytes: &[u8], error: &serde_json::Error) -> u64 {
    let before = error.line().saturating_sub(1);
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').take(before);
    let start: usize = lines.map(<[u8]>::len).sum();
    (start + error.column().saturating_sub(1)).min(bytes.len()) as u64
}

/// What a type is read from.
#[derive(Clone, Copy)]
struct Given<'de> {
    raw: &'de RawValue,
    depth: usize,
}

impl<'de> Given<'de> {
    fn read<T: Deserialize<'de>>(self) -> Result<T, Unreadable> {
        serde_json::from_str(self.raw.get()).map_err(|error| de::Error::custom(reason_of(&error)))
    }

    fn inner(self, raw: &'de RawValue) -> Self {
        Self {
            raw,
            depth: self.depth + 1,
        }
    }

    fn first(self) -> u8 {
        *self
            .raw
            .get()
            .as_bytes()
            .first()
            .expect("JSON is not empty")
    }

    fn check_depth(self) -> Result<(), Unreadable> {
        if self.depth < DEEPEST {
            return Ok(());
        }
        Err(de::Error::custom(format_args!(
            "more than {DEEPEST} lists and objects inside each other"
        )))
    }

    fn list<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        self.check_depth()?;
        let list: Vec<&RawValue> = self.read()?;
        let mut items = Items {
            of: self,
            list: list.into_iter(),
            at: 0,
        };
        let value = visitor.visit_seq(&mut items)?;
        match items.list.len() {
            0 => Ok(value),
            more => Err(de::Error::custom(format_args!(
                "{more} more than can stand in this list"
            ))),
        }
    }

    fn pairs(self) -> Result<Vec<(String, &'de RawValue)>, Unreadable> {
        self.check_depth()?;
        let Pairs(pairs) = self.read()?;
        let mut names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        match names.windows(2).find(|two| two[0] == two[1]) {
            Some(twice) => Err(Unreadable::Twice {
                field: twice[0].to_owned(),
            }),
            None => Ok(pairs),
        }
    }
}

impl<'de> Deserializer<'de> for Given<'de> {
    type Error = Unreadable;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.first() {
            b'{' => visitor.visit_map(Members {
                of: self,
                pairs: self.pairs()?.into_iter(),
                value: None,
            }),
            b'[' => self.list(visitor),
            b'"' => visitor.visit_string(self.read()?),
            b't' | b'f' => visitor.visit_bool(self.read()?),
            b'n' => visitor.visit_unit(),
            _ => number(&self.read()?, visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.first() {
            b'n' => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        if name == RAW {
            let read = self.raw.deserialize_newtype_struct(name, visitor);
            return read.map_err(|error| de::Error::custom(reason_of(&error)));
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        match self.first() {
            b'"' => {
                let word: StringDeserializer<Unreadable> =
                    self.read::<String>()?.into_deserializer();
                visitor.visit_enum(word)
            }
            b'{' => match <[_; 1]>::try_from(self.pairs()?) {
                Ok([(name, raw)]) => visitor.visit_enum(Variant {
                    name,
                    value: self.inner(raw),
                }),
                Err(_more) => Err(de::Error::custom("expected an object with one key")),
            },
            _ => Err(de::Error::custom(
                "expected a word, or an object with one key",
            )),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        match self.first() {
            b'{' => self.deserialize_any(visitor),
            // A list in the order of the fields would do for the type, but names nothing.
            _ => Err(de::Error::custom("expected an object")),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

/// The name under which a type asks for the text of a value as it was sent.
const RAW: &str = "$serde_json::private::RawValue";

fn number<'de, V: Visitor<'de>>(
    number: &serde_json::Number,
    visitor: V,
) -> Result<V::Value, Unreadable> {
    if let Some(value) = number.as_u64() {
        visitor.visit_u64(value)
    } else if let Some(value) = number.as_i64() {
        visitor.visit_i64(value)
    } else {
        visitor.visit_f64(number.as_f64().unwrap_or(f64::NAN))
    }
}

/// The pairs of an object as they stand in it: also those whose name stands twice.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader<'a>(PhantomData<&'a RawValue>);
        impl<'de: 'a, 'a> Visitor<'de> for Reader<'a> {
            type Value = Pairs<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<'a>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        from.deserialize_map(Reader(PhantomData))
    }
}

struct Items<'de> {
    of: Given<'de>,
    list: std::vec::IntoIter<&'de RawValue>,
    at: usize,
}

impl<'de> SeqAccess<'de> for &mut Items<'de> {
    type Error = Unreadable;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Unreadable> {
        let Some(raw) = self.list.next() else {
            return Ok(None);
        };
        let at = self.at;
        self.at += 1;
        let read = seed.deserialize(self.of.inner(raw));
        read.map(Some).map_err(|error| error.under(&at.to_string()))
    }
}

struct Members<'de> {
    of: Given<'de>,
    pairs: std::vec::IntoIter<(String, &'de RawValue)>,
    value: Option<(String, &'de RawValue)>,
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = Unreadable;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Unreadable> {
        let Some((name, raw)) = self.pairs.next() else {
            return Ok(None);
        };
        self.value = Some((name.clone(), raw));
        let name: StringDeserializer<Unreadable> = name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<T::Value, Unreadable> {
        let (name, raw) = self.value.take().expect("a key was asked for before");
        let read = seed.deserialize(self.of.inner(raw));
        read.map_err(|error| error.under(&name))
    }
}

struct Variant<'de> {
    name: String,
    value: Given<'de>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Unreadable;
    type Variant = Inside<'de>;

    fn variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<(T::Value, Inside<'de>), Unreadable> {
        let inside = Inside {
            name: self.name.clone(),
            value: self.value,
        };
        let name: StringDeserializer<Unreadable> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, inside))
    }
}

struct Inside<'de> {
    name: String,
    value: Given<'de>,
}

impl<'de> VariantAccess<'de> for Inside<'de> {
    type Error = Unreadable;

    fn unit_variant(self) -> Result<(), Unreadable> {
        <()>::deserialize(self.value).map_err(|error| error.under(&self.name))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, Unreadable> {
        let read = seed.deserialize(self.value);
        read.map_err(|error| error.under(&self.name))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        let read = self.value.deserialize_any(visitor);
        read.map_err(|error| error.under(&self.name))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        let read = self.value.deserialize_any(visitor);
        read.map_err(|error| error.under(&self.name))
    }
}
