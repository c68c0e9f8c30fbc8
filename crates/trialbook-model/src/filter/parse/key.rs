//! The grammar of keys: prefixes, quoted names, contexts, aggregates.
//!
//! Invariant: a context is kept as canonical JSON: sorted keys, no blanks, empty for the empty map.

use super::Parser;
use crate::filter::ast::Aggregate;
use crate::filter::error::{Slip, clipped};
use crate::filter::fault::{Construct, Expected, Fault};
use crate::filter::lex;
use crate::filter::written::{Quotes, WrittenKey};

impl Parser<'_> {
    /// A key; an aggregate's parentheses belong to it.
    pub(super) fn key(&mut self, expected: Expected) -> Result<WrittenKey, Slip> {
        let at = self.scan.place();
        let word = self.scan.peek_word();
        if lex::is_keyword(word) {
            return Err(self.scan.expected(expected));
        }
        let mut key = self.name(expected)?;
        if key.kind.is_none() && key.quotes == Quotes::Without && self.scan.peek() == Some('(') {
            self.native_only(at, Construct::Aggregate)?;
            let aggregate = Aggregate::ALL
                .into_iter()
                .find(|aggregate| aggregate.word().eq_ignore_ascii_case(word))
                .ok_or_else(|| {
                    Slip::new(
                        at,
                        Fault::UnknownAggregate {
                            name: clipped(word),
                        },
                    )
                })?;
            self.scan.eat('(');
            key = self.name(Expected::Key)?;
            self.context(&mut key)?;
            if !self.scan.eat(')') {
                return Err(self.scan.expected(Expected::AggregateClosing));
            }
            key.aggregate = Some(aggregate);
        } else {
            self.context(&mut key)?;
        }
        key.text = clipped(self.scan.since(at));
        Ok(key)
    }

    /// A name with its prefix, as `metrics.loss`, ``params.`learning rate` `` or `loss`.
    fn name(&mut self, expected: Expected) -> Result<WrittenKey, Slip> {
        let at = self.scan.place();
        let word = self.scan.peek_word();
        let (kind, plain) = match lex::prefix_of(word) {
            Some((kind, rest)) => (Some(kind), rest),
            None => (None, word),
        };
        let begins = kind.is_some() || word.is_empty() || word.starts_with(lex::is_name_start);
        if !begins {
            return Err(self.scan.expected(expected));
        }
        self.scan.advance(word.len());
        let quote = self
            .scan
            .rest()
            .chars()
            .next()
            .filter(|letter| matches!(letter, '`' | '"'));
        let name_at = at + word.len() - plain.len();
        let (name, quotes) = if let (Some(quote), true) = (quote, plain.is_empty()) {
            (self.scan.quoted(quote)?, Quotes::With)
        } else if lex::is_plain_name(plain) {
            (plain.to_owned(), Quotes::Without)
        } else if kind.is_none() && plain.is_empty() {
            return Err(self.scan.expected(expected));
        } else if plain.is_empty() {
            return Err(self.scan.expected(Expected::Name));
        } else {
            (String::new(), Quotes::Without)
        };
        if name.is_empty() {
            let found = Some(clipped(self.scan.since(name_at)));
            let expected = Expected::Name;
            return Err(Slip::new(name_at, Fault::Expected { expected, found }));
        }
        Ok(WrittenKey {
            at,
            kind,
            name,
            quotes,
            context: String::new(),
            aggregate: None,
            text: clipped(self.scan.since(at)),
        })
    }

    /// The JSON map behind a metric's name, brought to its canonical form: sorted keys, no blanks.
    fn context(&mut self, key: &mut WrittenKey) -> Result<(), Slip> {
        if self.scan.peek() != Some('{') {
            return Ok(());
        }
        let at = self.scan.place();
        self.native_only(at, Construct::Context)?;
        let mut documents = serde_json::Deserializer::from_str(self.scan.rest())
            .into_iter::<serde_json::Map<String, serde_json::Value>>();
        let Some(Ok(map)) = documents.next() else {
            return Err(Slip::new(at, Fault::Context));
        };
        self.scan.advance(documents.byte_offset());
        if !map.is_empty() {
            let mut map = serde_json::Value::Object(map);
            map.sort_all_objects();
            key.context = map.to_string();
        }
        Ok(())
    }
}
