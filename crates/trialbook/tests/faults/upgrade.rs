//! A book and a spool of an earlier version, the spool still being written, under the present one.
//!
//! `fixtures/format-0.spool` is a spool of the first format as a writer leaves it; a format that comes after it adds a
//! file of its own. Not here: newer formats, which are refused. Invariant: the fixture never changes.

use std::fs;
use std::io::Write as _;

use rustix::fs::{FlockOperation, flock};

use super::sandbox::Sandbox;
use super::{say, seal};

const SPOOL: &[u8] = include_bytes!("fixtures/format-0.spool");
/// Where its second record begins.
const SECOND: usize = 4424;
/// Its name.
const NAME: &str = "019d0a5f663faf207ba9b5edddecf8e0-000000.spool";
/// The run that it speaks of.
const RUN: &str = "abababababababababababababababab";

/// What the migrations after the first one brought.
const DOWN: &str = "
    DROP TABLE unknown; DROP TABLE sequence; DROP TABLE entry; DROP TABLE entry_uid;
    DELETE FROM migration WHERE name > '0001_first';
";

#[test]
fn an_earlier_book_with_a_spool_that_is_still_written_is_taken_over() {
    let sandbox = Sandbox::new();
    say(&sandbox, "init").ok();
    let database = rusqlite::Connection::open(sandbox.book().join("book.db")).unwrap();
    database.execute_batch(DOWN).unwrap();
    let migrations = |database: &rusqlite::Connection| {
        let ask = "SELECT count(*) FROM migration";
        database
            .query_row(ask, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(migrations(&database), 1);
    let path = sandbox.book().join("spool").join(NAME);
    let mut spool = fs::File::create_new(&path).unwrap();
    flock(&spool, FlockOperation::LockExclusive).unwrap();
    // Its writer has not synced anything yet, as the header has to say.
    let mut begun = SPOOL[..SECOND].to_vec();
    begun[24..32].copy_from_slice(&4096_u64.to_le_bytes());
    begun[32..40].copy_from_slice(&(!4096_u64).to_le_bytes());
    spool.write_all(&begun).unwrap();
    let check = |registered: i64| {
        let csv = say(&sandbox, &format!("series {RUN} loss --csv")).ok();
        let rows: Vec<&str> = csv.lines().skip(1).collect();
        assert!(
            matches!(&rows[..], [row] if row.contains("-3") && row.contains("0.25")),
            "{csv}"
        );
        let show = say(&sandbox, &format!("show {RUN} --json")).json();
        assert_eq!(show["metrics"]["loss"]["count"], 1, "{show}");
        let database = rusqlite::Connection::open(sandbox.book().join("book.db")).unwrap();
        let ask = "SELECT count(*) FROM entry";
        let entries = database.query_row(ask, [], |row| row.get::<_, i64>(0));
        assert_eq!(entries.unwrap_or(0), registered);
    };
    // Read over the earlier tables, then sealed, which brings the new ones.
    check(0);
    assert_eq!(migrations(&database), 1);
    seal(&sandbox);
    assert!(migrations(&database) > 1);
    check(0);
    // Its writer goes on, and ends: a version of a collection, which is known by it alone.
    spool.write_all(&SPOOL[SECOND..]).unwrap();
    seal(&sandbox);
    check(2);
    assert!(path.exists(), "a spool that is held is not removed");
    drop(spool);
    seal(&sandbox);
    check(2);
    assert!(!path.exists(), "what is sealed and dead is removed");
    assert_eq!(say(&sandbox, "doctor --json").json()["healthy"], true);
}
