//! Files that are damaged, outdated or gone: what is lost is named, and the rest stays readable.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rusqlite::Connection;
use trialbook_model::id::{RunUid, Uid};
use trialbook_model::record::{Op, Param, ParamKind, SetParams, StartRun};

use super::sandbox::{self, Sandbox};
use super::{all, lines, say, seal, spawn, steps, told, wait};

/// Verbs that read, none of which may break down.
const READERS: [&str; 6] = [
    "list --json",
    "show latest --json",
    "search params.lr=0.1 --json",
    "series latest loss --json",
    "doctor --json",
    "list experiments --json",
];

fn spools(sandbox: &Sandbox) -> Vec<PathBuf> {
    let entries = fs::read_dir(sandbox.book().join("spool")).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "spool"));
    paths.sort();
    paths
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).unwrap().len()
}

/// The files of the database.
fn database(sandbox: &Sandbox) -> Vec<PathBuf> {
    ["book.db", "book.db-wal", "book.db-shm"]
        .map(|name| sandbox.book().join(name))
        .to_vec()
}

/// Moves the log of the database into it, so that its file holds everything.
fn settle(sandbox: &Sandbox) {
    let connection = Connection::open(sandbox.book().join("book.db")).unwrap();
    let moved: i64 = connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .unwrap();
    assert_eq!(moved, 0);
}

/// Changes one byte of a file.
fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 0x20;
    fs::write(path, bytes).unwrap();
}

/// What the doctor says is lost.
#[track_caller]
fn damage(sandbox: &Sandbox) -> Vec<String> {
    let ended = say(sandbox, "doctor --json");
    assert_eq!(ended.code, 7, "{ended:?}");
    let health: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(health["healthy"], false);
    let damage = health["damage"].as_array().unwrap();
    assert!(!damage.is_empty(), "{health}");
    damage
        .iter()
        .map(|line| line.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn an_old_backup_takes_newer_spools_once() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("--param lr=0.1");
    let csv = || {
        let ended = say(&sandbox, &format!("series {run} loss --csv"));
        // Before its first point there is no such series.
        if ended.code == 3 {
            Vec::new()
        } else {
            steps(&ended.ok())
        }
    };
    let mut command = sandbox.command();
    command
        .args(["log", "-", "--run", &run])
        .stdin(Stdio::piped());
    let mut writer = spawn(&mut command);
    let mut input = writer.stdin.take().unwrap();
    let mut points = 0;
    let mut send = |input: &mut std::process::ChildStdin| {
        input
            .write_all(lines(points..points + 2_000).as_bytes())
            .unwrap();
        points += 2_000;
        while csv().len() as u64 != points {
            std::thread::yield_now();
        }
    };
    send(&mut input);
    seal(&sandbox);
    let old: Vec<(PathBuf, Vec<u8>)> = database(&sandbox)
        .into_iter()
        .map(|path| (path.clone(), fs::read(&path).unwrap_or_default()))
        .collect();
    send(&mut input);
    seal(&sandbox);
    send(&mut input);

    for (path, bytes) in old {
        fs::remove_file(&path).ok();
        fs::write(path, bytes).unwrap();
    }
    assert_eq!(csv(), all(6_000));
    seal(&sandbox);
    send(&mut input);
    drop(input);
    wait(writer).ok();
    seal(&sandbox);
    assert_eq!(csv(), all(8_000));
    assert_eq!(say(&sandbox, "doctor --json").json()["healthy"], true);
}

/// A book with so many runs that its index is kept.
fn many_runs() -> Sandbox {
    let sandbox = Sandbox::new();
    let mut ops = Vec::new();
    for number in 0..600_u64 {
        let run = RunUid(Uid((u128::from(number) + 1).to_be_bytes()));
        ops.push(Op::StartRun(StartRun::of(run)));
        let param = Param {
            text: (number % 10).to_string(),
            kind: ParamKind::Number,
        };
        let params = vec![("depth".to_owned(), param)];
        ops.push(Op::SetParams(SetParams { run, params }));
    }
    sandbox::record(&sandbox, &ops);
    seal(&sandbox);
    sandbox
}

#[test]
fn an_index_that_is_gone_or_damaged_is_made_again() {
    let sandbox = many_runs();
    let found = || {
        let search = [
            "search",
            "params.depth >= 7",
            "--sort-by",
            "depth",
            "--json",
        ];
        let found = sandbox.run(search).json();
        assert_eq!(found["total"], 180, "{found}");
        found
    };
    let before = found();
    let index = sandbox.book().join("index.snapshot");
    assert!(index.exists(), "searching many runs keeps no index");
    let bytes = fs::read(&index).unwrap();
    fs::write(&index, &bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(found(), before);
    fs::write(&index, b"").unwrap();
    assert_eq!(found(), before);
    for at in (0..bytes.len()).step_by(bytes.len() / 16 + 1) {
        fs::write(&index, &bytes).unwrap();
        flip(&index, at);
        assert_eq!(found(), before, "byte {at}");
    }
    // One that was found damaged may be gone already.
    fs::remove_file(&index).ok();
    assert_eq!(found(), before);
    assert_eq!(say(&sandbox, "doctor --json").json()["healthy"], true);
}

/// Changes a bit in the smallest chunk of values.
fn damage_chunk(sandbox: &Sandbox) {
    let connection = Connection::open(sandbox.book().join("book.db")).unwrap();
    let (id, mut data): (i64, Vec<u8>) = connection
        .query_row(
            "SELECT id, data FROM chunk WHERE axis IS NOT NULL ORDER BY length(data) LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    let middle = data.len() / 2;
    data[middle] ^= 1;
    connection
        .execute("UPDATE chunk SET data = ?2 WHERE id = ?1", (id, data))
        .unwrap();
}

#[test]
fn a_damaged_chunk_costs_its_own_series_only() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("--param lr=0.1 --name long");
    let mut text = String::new();
    for step in 0..20_000 {
        writeln!(
            text,
            "{{\"step\": {step}, \"loss\": {step}, \"other\": {}}}",
            step % 7
        )
        .unwrap();
    }
    sandbox
        .feed(&format!("log - --run {run}"), text.as_bytes())
        .ok();
    let short = sandbox.start("--param lr=0.1 --name short");
    sandbox
        .feed(&format!("log - --run {short}"), lines(0..20).as_bytes())
        .ok();
    seal(&sandbox);
    let whole = say(&sandbox, "series long other --csv").ok();

    damage_chunk(&sandbox);
    let lost = damage(&sandbox);
    assert!(
        lost.iter()
            .any(|line| line.contains("loss") || line.contains("other")),
        "{lost:?}"
    );
    let broken = if lost.iter().any(|line| line.contains("other")) {
        "other"
    } else {
        "loss"
    };
    let refused = say(&sandbox, &format!("series long {broken} --json"));
    assert_eq!(refused.code, 7, "{refused:?}");
    assert_eq!(told(&refused)["code"], "data_damaged", "{refused:?}");
    let fine = if broken == "loss" { "other" } else { "loss" };
    let rest = say(&sandbox, &format!("series long {fine} --csv")).ok();
    assert_eq!(rest.lines().count(), 20_001);
    if fine == "other" {
        assert_eq!(rest, whole);
    }
    let csv = say(&sandbox, "series short loss --csv").ok();
    assert_eq!(steps(&csv), all(20));
    let show = say(&sandbox, "show long --json").json();
    assert_eq!(show["metrics"]["loss"]["count"], 20_000);
    assert_eq!(say(&sandbox, "list --json").json()["total"], 2);
    assert_eq!(
        say(&sandbox, "search params.lr=0.1 --json").json()["total"],
        2
    );
    // Writing goes on.
    say(&sandbox, "log metric other=1 --run long").ok();
    say(&sandbox, "log metric loss=20 --step 20 --run short").ok();
    assert_eq!(
        steps(&say(&sandbox, "series short loss --csv").ok()),
        all(21)
    );
}

#[test]
fn a_damaged_spool_loses_what_is_damaged() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("--param lr=0.1 --name hurt");
    sandbox
        .feed(&format!("log - --run {run}"), lines(0..2_000).as_bytes())
        .ok();
    let whole = sandbox.start("--param lr=0.1 --name whole");
    sandbox
        .feed(&format!("log - --run {whole}"), lines(0..2_000).as_bytes())
        .ok();
    let hurt = spools(&sandbox)
        .into_iter()
        .find(|path| {
            // Its subject is written into it once, as bytes.
            let bytes = fs::read(path).unwrap();
            let uid = u128::from_str_radix(&run, 16).unwrap().to_be_bytes();
            size(path) > 20_000 && bytes.windows(16).any(|part| part == uid)
        })
        .unwrap();
    flip(&hurt, size(&hurt) as usize / 2);

    let name = hurt.file_name().unwrap().to_str().unwrap().to_owned();
    let lost = damage(&sandbox);
    assert!(lost.iter().any(|line| line.contains(&name)), "{lost:?}");
    let rest = || {
        let rest = steps(&say(&sandbox, "series hurt loss --csv").ok());
        assert!(
            rest.is_sorted_by(|one, next| one < next),
            "something is doubled"
        );
        assert!(rest.len() >= 900 && rest.len() < 2_000, "{}", rest.len());
        rest
    };
    let before = rest();
    let check = || {
        assert_eq!(rest(), before);
        assert_eq!(
            steps(&say(&sandbox, "series whole loss --csv").ok()),
            all(2_000)
        );
        let show = say(&sandbox, "show hurt --json").json();
        assert_eq!(show["metrics"]["loss"]["count"], before.len());
        assert_eq!(show["params"]["lr"], 0.1);
    };
    check();
    // Sealing keeps the file, takes what can be read once, and goes on telling.
    for _ in 0..2 {
        let ended = say(&sandbox, "doctor --rebuild");
        assert_eq!(ended.code, 7, "{ended:?}");
        check();
        assert!(hurt.exists());
        let lost = damage(&sandbox);
        assert!(lost.iter().any(|line| line.contains(&name)), "{lost:?}");
    }
}

#[test]
fn a_spool_without_its_first_page_is_read_and_without_anything_named() {
    let sandbox = Sandbox::new();
    let whole = sandbox.start("--param lr=0.1 --name whole");
    seal(&sandbox);
    let run = sandbox.start("--param lr=0.1 --name hurt");
    let [hurt] = &spools(&sandbox)[..] else {
        panic!("one writer, one spool");
    };
    let mut bytes = fs::read(hurt).unwrap();
    // The first page is there twice.
    bytes[..4096].fill(0x55);
    fs::write(hurt, &bytes).unwrap();
    say(&sandbox, &format!("show {run}")).ok();
    bytes.fill(0x55);
    fs::write(hurt, &bytes).unwrap();
    say(&sandbox, &format!("show {run}")).failed(3);
    let name = hurt.file_name().unwrap().to_str().unwrap();
    for _ in 0..2 {
        let lost = damage(&sandbox);
        assert!(lost.iter().any(|line| line.contains(name)), "{lost:?}");
        say(&sandbox, &format!("show {whole}")).ok();
        assert_eq!(say(&sandbox, "doctor --rebuild").code, 7);
        assert!(hurt.exists());
    }
}

#[test]
fn damaged_pages_of_the_database_break_nothing_down() {
    let sandbox = many_runs();
    let run = sandbox.start("--param lr=0.1");
    sandbox
        .feed(&format!("log - --run {run}"), lines(0..5_000).as_bytes())
        .ok();
    seal(&sandbox);
    settle(&sandbox);
    let path = sandbox.book().join("book.db");
    let bytes = fs::read(&path).unwrap();
    let pages = bytes.len() / 4096;
    for page in (0..pages).step_by(pages / 12 + 1) {
        let mut hurt = bytes.clone();
        hurt[page * 4096..(page + 1) * 4096].fill(0xa5);
        for path in database(&sandbox) {
            fs::remove_file(path).ok();
        }
        fs::write(&path, hurt).unwrap();
        for words in READERS {
            let ended = say(&sandbox, words);
            let fits = [0, 3, 7].contains(&ended.code);
            assert!(fits, "page {page}, {words}: {ended:?}");
        }
        assert_eq!(say(&sandbox, "doctor --json").code, 7, "page {page}");
    }
}

#[test]
fn files_beside_the_database_that_belong_to_another_time() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("--param lr=0.1");
    let log = format!("log - --run {run}");
    let csv = || steps(&say(&sandbox, &format!("series {run} loss --csv")).ok());
    sandbox.feed(&log, lines(0..1_000).as_bytes()).ok();
    seal(&sandbox);
    let shm = sandbox.book().join("book.db-shm");
    let old = fs::read(&shm).unwrap();
    sandbox.feed(&log, lines(1_000..2_000).as_bytes()).ok();
    seal(&sandbox);
    fs::write(&shm, old).unwrap();
    assert_eq!(csv(), all(2_000));
    fs::write(&shm, vec![0x5a; 32_768]).unwrap();
    assert_eq!(csv(), all(2_000));
    fs::remove_file(&shm).unwrap();
    assert_eq!(csv(), all(2_000));
    // A log that ends in the middle of a seal that never happened.
    let wal = sandbox.book().join("book.db-wal");
    let mut bytes = fs::read(&wal).unwrap();
    bytes.extend_from_slice(&[0xee; 5_000]);
    fs::write(&wal, bytes).unwrap();
    assert_eq!(csv(), all(2_000));
    sandbox.feed(&log, lines(2_000..2_500).as_bytes()).ok();
    seal(&sandbox);
    assert_eq!(csv(), all(2_500));
    assert_eq!(say(&sandbox, "doctor --json").json()["healthy"], true);
}

#[test]
fn a_book_of_a_newer_format_is_left_alone() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("--param lr=0.1");
    seal(&sandbox);
    let connection = Connection::open(sandbox.book().join("book.db")).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    let program = "UPDATE meta SET value = '9.8.7' WHERE key = 'program'";
    assert_eq!(connection.execute(program, []).unwrap(), 1);
    drop(connection);
    let log = format!("log metric loss=1 --json --run {run}");
    for words in READERS.into_iter().chain([log.as_str(), "start --json"]) {
        let refused = say(&sandbox, words);
        assert_eq!(refused.code, 5, "{words}: {refused:?}");
        let error = told(&refused);
        assert_eq!(error["code"], "book_newer", "{words}");
        assert!(error["message"].as_str().unwrap().contains("99"), "{error}");
        assert_eq!(
            error["hint"], "trialbook 9.8.7 or newer reads it",
            "{words}"
        );
    }
    assert_eq!(spools(&sandbox), Vec::<PathBuf>::new());
}

#[test]
fn a_database_without_a_first_row_is_no_book_yet() {
    type Making = fn(&Path);
    let ways: [Making; 3] = [
        |path| fs::write(path, b"").unwrap(),
        |path| {
            let connection = Connection::open(path).unwrap();
            connection
                .pragma_update(None, "journal_mode", "WAL")
                .unwrap();
        },
        |path| {
            // The tables of a book, as one that was made has them.
            let whole = Sandbox::new();
            say(&whole, "init").ok();
            settle(&whole);
            fs::copy(whole.book().join("book.db"), path).unwrap();
            let connection = Connection::open(path).unwrap();
            for table in ["experiment_uid", "experiment", "name", "meta"] {
                connection
                    .execute(&format!("DELETE FROM {table}"), [])
                    .unwrap();
            }
        },
    ];
    for (at, way) in ways.into_iter().enumerate() {
        let sandbox = Sandbox::new();
        fs::create_dir(sandbox.book()).unwrap();
        way(&sandbox.book().join("book.db"));
        say(&sandbox, "list").failed(5);
        let run = sandbox.start("--param lr=0.1");
        say(&sandbox, &format!("log metric loss=1 --run {run}")).ok();
        seal(&sandbox);
        let show = say(&sandbox, "show latest --json").json();
        assert_eq!(show["metrics"]["loss"]["last"], 1.0, "way {at}");
        let doctor = say(&sandbox, "doctor --json").json();
        assert_eq!(doctor["healthy"], true, "way {at}: {doctor}");
    }
}

#[test]
fn a_damaged_run_that_is_spoken_of_again_stops_neither_doctor_nor_seal() {
    let sandbox = Sandbox::new();
    let damaged = sandbox.start("");
    let whole = sandbox.start("");
    seal(&sandbox);
    sandbox.say_in(&damaged, "log metric loss=1").ok();
    sandbox.say_in(&whole, "log metric loss=2").ok();
    let connection = Connection::open(sandbox.book().join("book.db")).unwrap();
    let sql = "UPDATE run SET state = x'ff00ff' WHERE no = 1";
    assert_eq!(connection.execute(sql, []).unwrap(), 1);
    drop(connection);
    let told = damage(&sandbox).join("; ");
    assert!(told.contains("run 1"), "{told}");
    // Nothing of it is lost in silence: only what came since is there.
    let show = sandbox.say(&format!("show {damaged} --json")).json();
    assert_eq!(
        (&show["whole"], &show["metrics"]["loss"]["count"]),
        (&false.into(), &1.into())
    );
    let said = sandbox.say(&format!("show {damaged}"));
    assert!(said.err.contains("only what came since"), "{said:?}");
    let show = sandbox.say(&format!("show {whole} --json")).json();
    assert_eq!(show["whole"], true);
    let rebuilt = say(&sandbox, "doctor --rebuild");
    assert_eq!(rebuilt.code, 7, "{rebuilt:?}");
    let told = damage(&sandbox).join("; ");
    assert!(told.contains("kept apart"), "{told}");
    let show = sandbox.say(&format!("show {whole} --json")).json();
    assert_eq!(show["metrics"]["loss"]["count"], 1);
}

#[test]
fn runs_that_cannot_be_read_are_counted_by_every_verb_that_leaves_them_out() {
    let sandbox = Sandbox::new();
    let damaged = sandbox.start("--experiment e --name hurt");
    sandbox.start("--experiment e --name whole");
    seal(&sandbox);
    for words in ["list", "search", "show e"] {
        let said = sandbox.say(words);
        assert_eq!(said.err, "", "{words}");
    }
    let connection = Connection::open(sandbox.book().join("book.db")).unwrap();
    let sql = "UPDATE run SET state = x'ff00ff' WHERE no = 1";
    assert_eq!(connection.execute(sql, []).unwrap(), 1);
    drop(connection);
    // With an index that still knows the run, and with one that was made since.
    for snapshot in ["known", "new"] {
        if snapshot == "new" {
            fs::remove_file(sandbox.book().join("index.snapshot")).ok();
        }
        for words in ["list", "search", "show e"] {
            let said = sandbox.say(words);
            let told = said.err.contains("1 run could not be read") && said.err.contains("doctor");
            assert!(told && said.code == 0, "{snapshot} {words}: {said:?}");
            let json = sandbox.say(&format!("{words} --json"));
            assert_eq!(json.err, "", "{snapshot} {words}");
            assert_eq!(json.json()["unreadable"], 1, "{snapshot} {words}");
        }
        let said = sandbox.say("show hurt");
        assert!(
            said.code != 0 && said.err.contains("1 run could not be read"),
            "{said:?}"
        );
        sandbox.say(&format!("show {damaged}")).failed(7);
    }
}

#[test]
fn records_of_later_versions_are_counted_and_kept() {
    let sandbox = Sandbox::new();
    let span = Op::Unknown {
        kind: 65,
        flags: 0,
        payload: vec![1, 2, 3],
    };
    let other = Op::Unknown {
        kind: 77,
        flags: 0,
        payload: Vec::new(),
    };
    let notices = || say(&sandbox, "doctor --json").json()["notices"].clone();
    say(&sandbox, "init").ok();
    assert_eq!(notices(), serde_json::json!([]));
    sandbox::record(&sandbox, &[span.clone(), other, span]);
    let expected = "3 records of kinds that this version does not know (65, 77): kept as written, for one that does";
    assert_eq!(notices(), serde_json::json!([expected]));
    seal(&sandbox);
    assert_eq!(notices(), serde_json::json!([expected]));
}
