use std::path::Path;

use trialbook_model::id::{RunUid, Uid};
use trialbook_model::record::{Op, SetTags, Subject};
use trialbook_model::time::Timestamp;

use super::*;
use crate::error::{ImportError, Place};
use crate::record::{Record, Said};

fn records(number: u8) -> Vec<Record> {
    let of = |at: u8| {
        Record::Said(Said {
            time: Timestamp(i64::from(at)),
            actor: None,
            op: Op::SetTags(SetTags {
                subject: Subject::Run(RunUid(Uid([at; 16]))),
                tags: vec![("a]{\"\\".to_owned(), Some("}\n,[".to_owned()))],
            }),
        })
    };
    (0..number).map(of).collect()
}

fn written(records: &[Record]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new()).unwrap();
    for record in records {
        writer.write(record).unwrap();
    }
    writer.finish().unwrap().0
}

fn reading(text: &[u8]) -> Result<Vec<Record>, ImportError> {
    let mut found = Vec::new();
    let file = Place::file(Path::new("x.json"));
    read(text, &file, &mut |_, record| {
        found.push(record);
        Ok(())
    })?;
    Ok(found)
}

#[test]
fn a_document_is_json_and_comes_back_whatever_its_layout() {
    for number in [0, 1, 5] {
        let text = written(&records(number));
        assert_eq!(reading(&text).unwrap(), records(number));
        assert!(is_document(&text));
        let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(value["count"], number);
        let pretty = serde_json::to_vec_pretty(&value).unwrap();
        assert_eq!(reading(&pretty).unwrap(), records(number));
        assert!(is_document(&pretty));
    }
}

#[test]
fn a_document_that_is_cut_anywhere_is_refused() {
    let text = written(&records(2));
    for end in 0..text.len() - 1 {
        let said = reading(&text[..end]).unwrap_err().to_string();
        assert!(said.starts_with("x.json"), "{end}: {said}");
    }
}

#[test]
fn what_breaks_is_named_by_line_and_letter() {
    let check = |old: &str, new: &str, said: &str| {
        let text = String::from_utf8(written(&records(3))).unwrap();
        let broken = text.replacen(old, new, 1);
        assert_ne!(broken, text, "{old}");
        let error = reading(broken.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(said), "{error}");
    };
    check(
        "{\"time\":1,",
        "{\"time\":\"x\",",
        "x.json:3:11: not a record: invalid type: string \"x\"",
    );
    check(
        "\"set_tags\":{\"subject\":{\"run\":\"02",
        "\"set_tags\":{\"subject\":{\"run\":\"zz",
        "x.json:4:79: not a record: `zz",
    );
    check(
        "\"count\":3",
        "\"count\":4",
        "x.json: the file says that it has 4",
    );
    check("\n],", "\n 7],", "x.json:5:2: not a record");
    check(
        "\"version\":1",
        "\"version\":9",
        "x.json: this file has version 9",
    );
    check(
        "trialbook-export",
        "mlruns",
        "x.json: this is not an export",
    );
    assert!(
        reading(b"[1,2]")
            .unwrap_err()
            .to_string()
            .contains("not an export")
    );
    assert!(
        reading(b"")
            .unwrap_err()
            .to_string()
            .contains("not an export")
    );
    assert!(reading(&[0xff, 0xfe, 0]).is_err());
}
