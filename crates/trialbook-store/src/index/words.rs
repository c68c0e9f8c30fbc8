//! Building a dictionary column: texts go in, codes and a sorted dictionary come out.
//!
//! Invariant: entries that are numbers come first, by number, NaN last among them; the others follow by
//! text. So a code says how its entry sorts.

use std::cmp::Ordering;

use rustc_hash::FxHashMap;

use super::encode::Slots;
use super::layout::Entry;

/// Entries by text with the number that they are and the code that they got when they came.
type Known = FxHashMap<Box<str>, (Option<f64>, u32)>;

/// What a text says that it is; equal texts that differ in it are different entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    Number,
    Text,
}

/// A dictionary column as it is filled.
#[derive(Debug, Default)]
pub(super) struct WordsBuilder {
    /// Texts that say of themselves that they are numbers.
    numbers: Known,
    /// The others.
    texts: Known,
    codes: Vec<u32>,
    used: u32,
    /// Numbers that were given as such, not as text.
    plain: FxHashMap<u64, u32>,
}

impl WordsBuilder {
    /// The code of a text; `number` says which number an unknown one is.
    pub(super) fn code(
        &mut self,
        text: &str,
        says: Says,
        number: impl FnOnce() -> Option<f64>,
    ) -> u32 {
        let known = match says {
            Says::Number => &mut self.numbers,
            Says::Text => &mut self.texts,
        };
        if let Some((_, code)) = known.get(text) {
            return *code;
        }
        let code = self.used;
        known.insert(text.into(), (number(), code));
        self.used += 1;
        code
    }

    /// The code of a whole number that has no text.
    pub(super) fn number_code(&mut self, number: u64) -> u32 {
        *self.plain.entry(number).or_insert_with(|| {
            self.used += 1;
            self.used - 1
        })
    }

    /// Adds a value by its code.
    pub(super) fn push(&mut self, code: u32) {
        self.codes.push(code);
    }

    /// Writes codes, then numbers, ends and texts of the dictionary.
    pub(super) fn write(&self, slots: &Slots<'_>, entry: &mut Entry, out: &mut Vec<u8>) {
        let mut words = self.entries();
        words.sort_by(Word::order);
        let mut codes = vec![0; words.len()];
        for (code, word) in words.iter().enumerate() {
            codes[word.came as usize] = code as u32;
        }
        let codes: Vec<u32> = self
            .codes
            .iter()
            .map(|came| codes[*came as usize])
            .collect();
        entry.width = match words.len() {
            0 | 1 => 0,
            2..=0x100 => 1,
            0x101..=0x1_0000 => 2,
            _ => 4,
        };
        for code in slots.arrange(&codes, 0) {
            out.extend(&code.to_le_bytes()[..usize::from(entry.width)]);
        }
        entry.words = words.len() as u32;
        let numbers = words.iter().map_while(|word| word.number);
        let before = out.len();
        out.extend(numbers.flat_map(f64::to_le_bytes));
        entry.numeric = ((out.len() - before) / 8) as u32;
        let mut end = 0_u64;
        for word in &words {
            end += word.text.len() as u64;
            out.extend(end.to_le_bytes());
        }
        for word in &words {
            out.extend(word.text.as_bytes());
        }
    }

    #[expect(
        clippy::iter_over_hash_type,
        reason = "the entries are sorted afterwards"
    )]
    fn entries(&self) -> Vec<Word<'_>> {
        let mut words = Vec::with_capacity(self.used as usize);
        for (text, (number, came)) in self.numbers.iter().chain(&self.texts) {
            words.push(Word {
                text,
                number: *number,
                came: *came,
            });
        }
        for (number, came) in &self.plain {
            words.push(Word {
                text: "",
                number: Some(*number as f64),
                came: *came,
            });
        }
        words
    }
}

struct Word<'a> {
    text: &'a str,
    number: Option<f64>,
    came: u32,
}

impl Word<'_> {
    fn order(&self, other: &Self) -> Ordering {
        let class = |word: &Self| match word.number {
            Some(number) if !number.is_nan() => (0, number + 0.0),
            Some(_) => (1, 0.0),
            None => (2, 0.0),
        };
        let ((left, left_number), (right, right_number)) = (class(self), class(other));
        left.cmp(&right)
            .then(left_number.total_cmp(&right_number))
            .then_with(|| self.text.cmp(other.text))
    }
}
