//! The page that describes the spool's bytes shows the bytes that are really written.
//!
//! Invariant: an example that no longer fits the code fails here, with the bytes to put into the page.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fmt::Write as _;
use std::path::Path;

use trialbook_model::id::{EntryUid, OperationUid, RunUid, Uid};
use trialbook_model::record::{CreateEntry, EntryKind, Heartbeat, Op, SeriesKey, Subject};
use trialbook_model::time::Timestamp;
use trialbook_spool::sim::SimFiles;
use trialbook_spool::{
    Access, Background, Files as _, LogCall, Mode, Note, Repeat, SpoolOptions, SpoolWriter, list,
};

/// A small spool: one call with two values, one heartbeat with actor and operation, one version of a collection.
fn example() -> Vec<u8> {
    let files = SimFiles::new(7);
    let options = SpoolOptions {
        mode: Mode::Written,
        created: Timestamp(1_769_000_412_345_678),
        actor: "ann".to_owned(),
        background: Background::None,
        ..SpoolOptions::default()
    };
    let mut writer = SpoolWriter::create_in(files.shared(), "spool", options).unwrap();
    let run = RunUid(Uid([0xab; 16]));
    let call = LogCall {
        subject: writer.subject(&Subject::Run(run)),
        step: -3,
        time: Timestamp(1_769_000_412_345_678),
        repeat: Repeat::Set,
    };
    let loss = writer.key(&SeriesKey::plain("loss"));
    let tested = writer.key(&SeriesKey {
        key: "acc".to_owned(),
        context: r#"{"split":"test"}"#.to_owned(),
    });
    writer
        .points(call, &[(loss, 0.25), (tested, f64::NAN)])
        .unwrap();
    let beat = Op::Heartbeat(Heartbeat {
        run,
        accepted: 2,
        dropped: 0,
        cost_ns: 140,
    });
    let note = Note {
        actor: Some("bob".to_owned()),
        operation: Some(OperationUid(Uid([0xcd; 16]))),
        ..Note::default()
    };
    writer
        .append(Timestamp(1_769_000_412_400_000), &beat, &note)
        .unwrap();
    let of = Subject::Entry(EntryUid(Uid([0x11; 16])));
    let mut create = CreateEntry::of(EntryUid(Uid([0x22; 16])), EntryKind::Version, of);
    create.number = Some(3);
    create.fields = [("stage".to_owned(), "Production".into())].into();
    let create = Op::CreateEntry(Box::new(create));
    writer
        .append(Timestamp(1_769_000_412_500_000), &create, &Note::default())
        .unwrap();
    writer.finish().unwrap();
    let path = list(&files, "spool".as_ref()).unwrap().remove(0).path;
    let file = files.open(&path, Access::Read).unwrap();
    let mut bytes = vec![0; file.size().unwrap() as usize];
    file.read_at(&mut bytes, 0).unwrap();
    bytes
}

/// Lines of an offset and 16 bytes; lines of zeros are left out.
fn dump(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (at, line) in bytes.chunks(16).enumerate() {
        if line.iter().any(|&byte| byte != 0) {
            write!(text, "{:06x} ", at * 16).unwrap();
            for byte in line {
                write!(text, " {byte:02x}").unwrap();
            }
            text.push('\n');
        }
    }
    text
}

#[test]
fn the_page_shows_the_bytes_that_are_written() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/format/spool.md");
    let page = std::fs::read_to_string(page).unwrap();
    let shown: String = page
        .lines()
        .filter(|line| {
            line.split_once("  ")
                .is_some_and(|(offset, _)| u32::from_str_radix(offset, 16).is_ok())
        })
        .flat_map(|line| [line.split(" ;").next().unwrap().trim_end(), "\n"])
        .collect();
    let written = dump(&example());
    assert!(shown == written, "the page should show\n{written}");
}
