//! Deliveries: what others recorded elsewhere comes in parts, again and again, while the book is sealed and taken
//! into service anew; it answers as if each record had come once.

use std::path::PathBuf;
use std::sync::Arc;

use proptest::prelude::*;
use trialbook_model::id::{Uid, WriterUid};
use trialbook_model::record::Signed;
use trialbook_model::time::{Clock, Timestamp};
use trialbook_spool::Background;

use super::answers::answers;
use super::script::{Record, Step, script};
use super::{TurnedClock, WRITERS, folder};
use crate::book::{Access, Book};
use crate::live::{Delivery, Gaps, Live};
use crate::recorder::RecorderOptions;
use crate::reference::Reference;

/// Writers elsewhere, and what the book has of them.
struct Elsewhere {
    path: PathBuf,
    said: Vec<Vec<Signed>>,
    delivered: Vec<usize>,
    /// As sealed last, what came since, and both.
    sealed: Reference,
    since: Vec<Signed>,
    model: Reference,
}

fn options() -> RecorderOptions {
    let clock: Arc<dyn Clock> = Arc::<TurnedClock>::default();
    RecorderOptions {
        background: Background::None,
        ..RecorderOptions::new("server", clock)
    }
}

impl Elsewhere {
    fn say(&mut self, record: &Record) {
        let said = &mut self.said[record.writer];
        for op in &record.ops {
            let time = said.last().map_or(i64::MIN, |last| last.time.0);
            let writer = record.writer as u8 + 1;
            said.push(Signed {
                time: Timestamp(time.max(record.time)),
                writer: WriterUid(Uid([writer; 16])),
                seq: said.len() as u64 + 1,
                actor: record.actor.clone(),
                operation: record.operation,
                op: op.clone(),
            });
        }
    }

    /// Brings what a writer has said, in two parts, with much that was brought before.
    fn bring(&mut self, writer: usize, dice: u64, live: &mut Live<'_>) {
        let (said, known) = (&self.said[writer], self.delivered[writer]);
        let waiting = said.len() - known;
        if waiting == 0 {
            return;
        }
        let middle = known + dice as usize % waiting + 1;
        if middle < said.len() {
            let early = live.deliver(&said[middle..], Gaps::Refused).unwrap();
            let (writer, expected) = (said[0].writer, known as u64 + 1);
            assert_eq!(early, Delivery::Missing { writer, expected });
        }
        let again = dice as usize % (known + 1);
        for (from, to) in [(again, middle), (again, middle), (0, said.len())] {
            let before = known.max(if to > middle { middle } else { from });
            let delivery = live.deliver(&said[from..to], Gaps::Refused).unwrap();
            let Delivery::Taken { new, repeated } = delivery else {
                panic!("{delivery:?}");
            };
            assert_eq!(new + repeated, (to - from) as u64);
            if new > 0 {
                let batch = &said[before.max(known)..to];
                assert_eq!(batch.len() as u64, new);
                self.model.seal(batch);
                self.since.extend_from_slice(batch);
            }
        }
        self.delivered[writer] = said.len();
    }
}

fn play<'b>(book: &'b Book, steps: &[Step], elsewhere: &mut Elsewhere) {
    let standing = Arc::default();
    let open = |book: &'b Book| Live::open(book, options(), &standing).unwrap().unwrap();
    let mut live = open(book);
    for step in steps {
        match step {
            Step::Record(record) => {
                elsewhere.say(record);
                let dice = record.time.unsigned_abs();
                if dice % 3 > 0 {
                    elsewhere.bring(record.writer, dice, &mut live);
                }
            }
            Step::Leave(writer) => elsewhere.bring(*writer, 0, &mut live),
            Step::Seal => {
                live.seal().unwrap();
                elsewhere.sealed = elsewhere.model.clone();
                elsewhere.since.clear();
            }
            Step::End(_) => {
                // The process ends where it stands, and another one begins from the disk.
                drop(live);
                live = open(book);
                elsewhere.model = elsewhere.sealed.clone();
                elsewhere.model.seal(&elsewhere.since);
            }
            Step::Check | Step::Reopen => {
                live.catch_up().unwrap();
                let view = standing.view(book).unwrap();
                assert_eq!(answers(&view), answers(&elsewhere.model));
            }
        }
    }
    live.seal().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases / 16,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_brought_in_parts_and_again_is_in_the_book_once(steps in script()) {
        let folder = folder();
        let path = folder.path().join("book");
        let book = Book::create(&path).unwrap();
        let mut elsewhere = Elsewhere {
            path,
            said: vec![Vec::new(); WRITERS],
            delivered: vec![0; WRITERS],
            sealed: Reference::new(),
            since: Vec::new(),
            model: Reference::new(),
        };
        play(&book, &steps, &mut elsewhere);
        // As whoever opens the folder sees it.
        let book = Book::open(&elsewhere.path, Access::Write).unwrap();
        assert_eq!(answers(&book.view().unwrap()), answers(&elsewhere.model));
    }
}
