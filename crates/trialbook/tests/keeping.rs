//! Artifacts in and out, copies, backups, and clearing away.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on is a failed test"
)]

mod sandbox;

use std::fs;

use sandbox::Sandbox;
use serde_json::json;

fn filled(sandbox: &Sandbox) -> String {
    let run = sandbox.start("--experiment tuning --param lr=0.1");
    sandbox.say_in(&run, "log metric loss=0.5 --step 1").ok();
    fs::create_dir_all(sandbox.work().join("plots")).unwrap();
    fs::write(sandbox.work().join("model.pt"), vec![7; 1500]).unwrap();
    fs::write(sandbox.work().join("plots/loss.png"), "png").unwrap();
    let put = "artifact put --files model.pt,plots --type model,plot --description first";
    sandbox.say_in(&run, put).ok();
    sandbox.say_in(&run, "end").ok();
    run
}

/// T-10.
#[test]
fn artifacts_are_listed_and_come_out_checked() {
    let sandbox = Sandbox::new();
    filled(&sandbox);
    let list = sandbox.say("artifact list latest --json").json();
    let paths: Vec<_> = list["artifacts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["path"])
        .collect();
    assert_eq!(paths, ["model.pt", "plots/loss.png"]);
    assert_eq!(
        (&list["total_size"], &list["artifacts"][0]["type"]),
        (&json!(1503), &json!("model"))
    );
    let text = sandbox.say("artifact list tuning --type model").ok();
    assert!(
        text.contains("1.5kB") && !text.contains("loss.png"),
        "{text}"
    );
    let said = sandbox
        .say("artifact-download --experiment-id latest --artifact-type plot --output-dir out")
        .ok();
    assert!(
        said.contains("1 artifact of run tuning/run-001, checksums right"),
        "{said}"
    );
    assert_eq!(
        fs::read(sandbox.work().join("out/plots/loss.png")).unwrap(),
        b"png"
    );
    assert!(!sandbox.work().join("out/model.pt").exists());
    // A file that is the same stays, a different one is refused before anything is written.
    sandbox
        .say("artifact get latest plots --output-dir out")
        .ok();
    fs::write(sandbox.work().join("out/plots/loss.png"), "mine").unwrap();
    let said = sandbox
        .say("artifact get latest --output-dir out")
        .failed(6);
    assert!(
        said.contains("out/plots/loss.png` is there already and is a different file"),
        "{said}"
    );
    assert!(!sandbox.work().join("out/model.pt").exists());
    sandbox
        .say("artifact get latest --output-dir out --force")
        .ok();
    assert_eq!(
        fs::read(sandbox.work().join("out/plots/loss.png")).unwrap(),
        b"png"
    );
}

#[test]
fn older_versions_come_out_and_bytes_that_rot_do_not() {
    let sandbox = Sandbox::new();
    let run = filled(&sandbox);
    fs::write(sandbox.work().join("model.pt"), "newer").unwrap();
    sandbox.say_in(&run, "artifact put model.pt").ok();
    let list = sandbox.say("artifact list latest --versions --json").json();
    assert_eq!(list["artifacts"].as_array().unwrap().len(), 3);
    sandbox
        .say("artifact get latest model.pt --output-dir old --version 1")
        .ok();
    assert_eq!(
        fs::read(sandbox.work().join("old/model.pt")).unwrap(),
        vec![7; 1500]
    );
    sandbox.say("artifact get latest none.pt").failed(3);
    // Bytes that rot are noticed.
    let sum = list["artifacts"][1]["sha256"].as_str().unwrap();
    let kept = sandbox.book().join("artifacts").join(&sum[..2]).join(sum);
    fs::write(kept, "rotten").unwrap();
    sandbox
        .say("artifact get latest model.pt --output-dir rot")
        .failed(7);
    assert!(!sandbox.work().join("rot/model.pt").exists());
}

#[test]
fn what_is_asked_for_and_not_there_is_said_beside_a_mere_reference() {
    let sandbox = Sandbox::new();
    let run = filled(&sandbox);
    sandbox.say("export all.json").ok();
    let other = Sandbox::new();
    let text = fs::read_to_string(sandbox.work().join("all.json")).unwrap();
    let (before, after) = text
        .split_once("\"path\":\"model.pt\",\"sha256\":\"")
        .unwrap();
    let text = format!(
        "{before}\"path\":\"model.pt\",\"uri\":\"s3://b/m\"{}",
        &after[65..]
    );
    fs::write(other.work().join("all.json"), text).unwrap();
    other.say("import all.json").ok();
    let said = other.say("artifact get latest model.pt").ok();
    assert!(said.contains("0 artifacts"), "{said}");
    let said = other.say("artifact get latest model.pt none.pt").failed(3);
    assert!(said.contains("none.pt"), "{said}");
    fs::write(sandbox.work().join("best.pt"), "best").unwrap();
    sandbox
        .say_in(&run, "log artifact best.pt --role best")
        .ok();
    sandbox
        .say("artifact get latest --role best --output-dir best")
        .ok();
    assert!(sandbox.work().join("best/best.pt").exists());
    assert!(!sandbox.work().join("best/model.pt").exists());
    sandbox.say("artifact get latest --role none").failed(3);
}

/// C-34, S-76.
#[test]
fn the_doctor_says_what_it_has_looked_at_and_names_runs() {
    let sandbox = Sandbox::new();
    filled(&sandbox);
    let said = sandbox.say("doctor").ok();
    assert!(said.contains("2 artifacts there, bytes not read"), "{said}");
    let said = sandbox.say("doctor --bytes").ok();
    assert!(said.contains("the data are whole\n"), "{said}");
    let kept = sandbox.book().join("artifacts");
    fs::remove_dir_all(&kept).unwrap();
    fs::create_dir(&kept).unwrap();
    let ended = sandbox.say("doctor");
    assert_eq!(ended.code, 7);
    assert!(
        ended.out.contains("tuning/run-001: `model.pt`"),
        "{}",
        ended.out
    );
}

/// C-33.
#[test]
fn a_backup_brings_the_book_back_and_never_over_another_unasked() {
    let first = Sandbox::new();
    let run = filled(&first);
    let said = first.say("backup book.tar").ok();
    assert!(said.contains("2 artifacts"), "{said}");
    first.say("backup book.tar").failed(6);
    let listing = first.shell("tar tf book.tar").ok();
    assert!(
        listing.starts_with("trialbook-backup.json\nbook.db\n"),
        "{listing}"
    );
    let second = Sandbox::new();
    let file = second.work().join("book.tar");
    fs::copy(first.work().join("book.tar"), &file).unwrap();
    second.say("restore book.tar").ok();
    let show = |sandbox: &Sandbox| sandbox.say(&format!("show {run} --json")).json();
    assert_eq!(show(&first), show(&second));
    second.say("artifact get latest --output-dir out").ok();
    second.start("--experiment later");
    let said = second.say("restore book.tar").failed(6);
    assert!(
        said.contains("is not empty") && said.contains("--force"),
        "{said}"
    );
    assert_eq!(second.say("list --json").json()["total"], 2);
    second.say("restore book.tar --force").ok();
    assert_eq!(second.say("list --json").json()["total"], 1);
    assert_eq!(second.say("doctor --json").json()["healthy"], true);
    // A damaged backup leaves everything as it is.
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, &bytes).unwrap();
    let said = second.say("restore book.tar --force").failed(7);
    assert!(said.contains("is damaged at its file"), "{said}");
    assert_eq!(second.say("list --json").json()["total"], 1);
    let third = Sandbox::new();
    fs::write(third.work().join("book.tar"), "hello").unwrap();
    third.say("restore book.tar").failed(7);
    assert!(!third.book().exists());
}

#[test]
fn a_restore_spares_a_book_in_which_anything_was_recorded() {
    let first = Sandbox::new();
    filled(&first);
    first.say("backup book.tar").ok();
    for words in [
        "note --project nlp --key plans later",
        "note Default --key plans later",
        "tag Default kept=yes",
    ] {
        let second = Sandbox::new();
        fs::copy(
            first.work().join("book.tar"),
            second.work().join("book.tar"),
        )
        .unwrap();
        second.say("init").ok();
        second.say(words).ok();
        let said = second.say("restore book.tar").failed(6);
        assert!(said.contains("is not empty"), "{words}: {said}");
    }
}

#[test]
fn copies_carry_everything_and_are_made_once() {
    let first = Sandbox::new();
    let run = filled(&first);
    let other = first.start("--experiment other");
    first.say_in(&other, "end").ok();
    let said = first.say("copy tuning --to shared --json").json();
    assert_eq!(
        (&said["runs"], &said["artifacts"], &said["points"]),
        (&json!(1), &json!(2), &json!(1))
    );
    let show = |book: &str| {
        let mut show = first.say(&format!("show {run} --json{book}")).json();
        show.as_object_mut().unwrap().remove("no");
        show
    };
    assert_eq!(show(""), show(" --book shared"));
    let again = first.say("copy --to shared --json").json();
    assert_eq!(
        (&again["runs"], &again["same_runs"]),
        (&json!(1), &json!(1))
    );
    first.say(&format!("tag {run} late=yes")).ok();
    first.say("copy tuning --to shared").failed(6);
    let said = first.say("copy tuning --to shared --rename --json").json();
    assert_eq!(said["renamed_runs"].as_array().unwrap().len(), 1);
    assert_eq!(first.say("list --json --book shared").json()["total"], 3);
}

/// C-34, S-76.
#[test]
fn what_nothing_speaks_of_goes_after_a_plan_and_a_day() {
    let sandbox = Sandbox::new();
    let run = filled(&sandbox);
    let plan = sandbox.say("gc --json").json();
    assert_eq!(
        (&plan["done"], &plan["artifacts"]),
        (&json!(false), &json!(0))
    );
    let orphan = sandbox.book().join("artifacts/ab").join("ab".repeat(32));
    fs::create_dir_all(orphan.parent().unwrap()).unwrap();
    fs::write(&orphan, "nobody's").unwrap();
    let plan = sandbox.say("gc --json").json();
    assert_eq!(
        (&plan["artifacts"], &plan["young_artifacts"]),
        (&json!(0), &json!(1))
    );
    let two_days = std::time::Duration::from_secs(2 * 86_400);
    let file = fs::File::open(&orphan).unwrap();
    let now = file.metadata().unwrap().modified().unwrap();
    file.set_modified(now - two_days).unwrap();
    let said = sandbox.say("gc").ok();
    assert!(
        said.contains("1 artifact that nothing speaks of (8B) would be removed"),
        "{said}"
    );
    assert!(orphan.exists());
    sandbox.say("gc --yes").ok();
    assert!(!orphan.exists());
    sandbox
        .say(&format!("artifact get {run} --output-dir out"))
        .ok();
    let plan = sandbox.say("gc --older-than 0d --json").json();
    assert_eq!(plan["experiments"], json!(["default/tuning"]));
    sandbox.say(&format!("tag {run} keep=yes")).ok();
    let plan = sandbox.say("gc --older-than 0d --json").json();
    assert_eq!(plan["experiments"], json!([]));
}
