//! Protobuf read into JSON by a schema.
//!
//! Not here: writing it. Invariant: reading takes at least a byte a step and nests at most [`DEEPEST`] messages, so
//! no body makes it loop or overflow the stack.

use serde_json::{Map, Number, Value};

use super::OtlpError;
use super::schema::{Arity, Field, Kind, Message};
use crate::base64;

/// Messages inside of each other.
const DEEPEST: usize = 100;

/// A message as JSON.
pub(super) fn decoded(bytes: &[u8], message: Message) -> Result<Value, OtlpError> {
    read_message(bytes, message, DEEPEST)
}

fn read_message(bytes: &[u8], message: Message, depth: usize) -> Result<Value, OtlpError> {
    if depth == 0 {
        return Err(OtlpError::format("it nests too deep"));
    }
    let mut map = Map::new();
    let mut rest = Bytes(bytes);
    while !rest.0.is_empty() {
        let tag = rest.varint()?;
        let raw = rest.raw(tag & 7)?;
        let Some(field) = message.iter().find(|field| field.number == tag >> 3) else {
            continue;
        };
        let value = value_of(raw, field, depth)?;
        match field.arity {
            Arity::One => {
                map.insert(field.name.to_owned(), value);
            }
            Arity::Many => {
                let list = map
                    .entry(field.name)
                    .or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(list) = list {
                    list.push(value);
                }
            }
        }
    }
    Ok(Value::Object(map))
}

/// The bytes of a field, as the wire has them.
#[derive(Debug, Clone, Copy)]
enum Raw<'a> {
    Varint(u64),
    Eight([u8; 8]),
    Four([u8; 4]),
    Bytes(&'a [u8]),
}

fn value_of(raw: Raw<'_>, field: &Field, depth: usize) -> Result<Value, OtlpError> {
    Ok(match (field.kind, raw) {
        (Kind::Text, Raw::Bytes(bytes)) => Value::from(String::from_utf8_lossy(bytes)),
        (Kind::Id, Raw::Bytes(bytes)) => Value::from(hex(bytes)),
        (Kind::Bytes, Raw::Bytes(bytes)) => Value::from(base64::encode(bytes)),
        (Kind::Message(inner), Raw::Bytes(bytes)) => read_message(bytes, inner(), depth - 1)?,
        (Kind::Flag, Raw::Varint(number)) => Value::from(number != 0),
        (Kind::Small, Raw::Varint(number)) => Value::from(number as i32),
        (Kind::Large, Raw::Varint(number)) => Value::from((number as i64).to_string()),
        (Kind::Fixed64, Raw::Eight(bytes)) => Value::from(u64::from_le_bytes(bytes).to_string()),
        (Kind::Fixed32, Raw::Four(bytes)) => Value::from(u32::from_le_bytes(bytes)),
        (Kind::Double, Raw::Eight(bytes)) => double(f64::from_le_bytes(bytes)),
        (
            Kind::Text
            | Kind::Id
            | Kind::Bytes
            | Kind::Message(_)
            | Kind::Flag
            | Kind::Small
            | Kind::Large
            | Kind::Fixed64
            | Kind::Fixed32
            | Kind::Double,
            _,
        ) => {
            let reason = format!("`{}` has another kind", field.name);
            return Err(OtlpError::format(reason));
        }
    })
}

/// A double; what JSON has no number for is its name.
fn double(value: f64) -> Value {
    if let Some(number) = Number::from_f64(value) {
        return Value::Number(number);
    }
    Value::from(if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    })
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}

/// What is still to be read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn varint(&mut self) -> Result<u64, OtlpError> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = *self.take::<1>()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(OtlpError::format("a number has no end"))
    }

    fn take<const N: usize>(&mut self) -> Result<&'a [u8; N], OtlpError> {
        let (taken, rest) = self
            .0
            .split_first_chunk()
            .ok_or_else(|| OtlpError::format("it ends in the middle"))?;
        self.0 = rest;
        Ok(taken)
    }

    /// The bytes of a field of a wire type.
    fn raw(&mut self, wire: u64) -> Result<Raw<'a>, OtlpError> {
        Ok(match wire {
            0 => Raw::Varint(self.varint()?),
            1 => Raw::Eight(*self.take()?),
            2 => {
                let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
                if length > self.0.len() {
                    return Err(OtlpError::format("it ends in the middle"));
                }
                let (taken, rest) = self.0.split_at(length);
                self.0 = rest;
                Raw::Bytes(taken)
            }
            5 => Raw::Four(*self.take()?),
            other => return Err(OtlpError::format(format!("no wire type is {other}"))),
        })
    }
}
