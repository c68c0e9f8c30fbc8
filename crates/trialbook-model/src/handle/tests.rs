use proptest::prelude::*;

use super::*;

fn uid(text: &str) -> Uid {
    format!("{text:0<32}").parse().unwrap()
}

fn run<'a>(digits: &str, no: u64, name: &'a str) -> Candidate<'a> {
    Candidate {
        uid: uid(digits),
        no,
        project: "default",
        handle: Some("EXP-001"),
        experiment: "coordination",
        run: Some(RunPart {
            number: Some(no),
            name,
        }),
        aliases: &[],
    }
}

fn book() -> Vec<Candidate<'static>> {
    let mut other = run("abce", 14, "deadbeef");
    other.no = 9;
    other.handle = None;
    other.experiment = "team/sweep";
    other.project = "vision";
    let mut slashed = run("0123", 3, "default/odd");
    slashed.handle = None;
    slashed.experiment = "verbatim";
    vec![
        run("abcd", 14, "cue-1"),
        run("deadbeef", 7, "cue-2"),
        other,
        slashed,
        run("abcdef", 2, "latest"),
    ]
}

fn check(text: &str, expected: &[usize]) {
    let found = match resolve(text, &book()) {
        Resolution::One(at) => vec![at],
        Resolution::Many(all) => all,
        Resolution::None { .. } => vec![],
    };
    assert_eq!(found, expected, "{text}");
}

#[test]
fn texts_mean_what_people_mean() {
    check("cue-1", &[0]);
    check("EXP-001/run-014", &[0]);
    check("exp-001/run-14", &[0]);
    check("coordination/cue-2", &[1]);
    check("default/coordination/run-7", &[1]);
    check("vision/team/sweep/deadbeef", &[2]);
    check("team/sweep/run-14", &[2]);
    check("run-14", &[0, 2]);
    check("RUN-0007", &[1]);
    check("abcd", &[0, 4]);
    check("ABCDEF", &[4]);
    check("abc", &[]);
    check(&uid("abcd").to_string(), &[0]);
    check("EXP-001/latest", &[0]);
    check("cue-*", &[0, 1]);
    check("EXP-001/run-*", &[0, 1, 4]);
    check("vision/*", &[2]);
    check("cue-?", &[0, 1]);
    check("run-", &[]);
    check("run-+7", &[]);
    check("run-99999999999999999999999", &[]);
    check("", &[]);
    check("/", &[]);
}

#[test]
fn names_win_over_readings_and_prefixes() {
    // A name that looks like a uid's beginning, and a name with a slash.
    check("deadbeef", &[2]);
    check("default/odd", &[3]);
    // The word is kept; a run of that name is reached by its digits.
    check("latest", &[0]);
    assert_eq!(resolve("latest", &[]), Resolution::None { nearest: vec![] });
}

#[test]
fn experiments_are_found_by_handle_name_and_alias() {
    let aliases = ["exp-1a2b3c".to_owned()];
    let mut experiment = run("77", 1, "");
    experiment.run = None;
    experiment.aliases = &aliases;
    let all = [experiment];
    for text in [
        "EXP-001",
        "exp-001",
        "coordination",
        "default/coordination",
        "exp-1a2b3c",
        "exp-*",
        "latest",
        "7700",
    ] {
        assert_eq!(resolve(text, &all), Resolution::One(0), "{text}");
    }
    assert_eq!(
        resolve("cordination", &all),
        Resolution::None {
            nearest: vec!["coordination".to_owned()]
        }
    );
}

#[test]
fn short_forms_grow_until_unique() {
    let mut all = [
        uid("00000000aa"),
        uid("00000000ab"),
        uid("12345678"),
        uid("ff"),
    ];
    all.sort_unstable();
    assert_eq!(short(&all, uid("00000000ab")), "00000000ab");
    assert_eq!(short(&all, uid("12345678")), "12345678");
    assert_eq!(short(&[], uid("12345678")), "12345678");
}

#[test]
fn default_names_are_readable_and_unique() {
    let time = Timestamp::parse("2026-01-21T13:00:12.345Z").unwrap();
    let id = uid("3f2a9c");
    let name = default_run_name(time, id, |_| false);
    assert_eq!(name, "run_20260121_130012_3f2a");
    assert_eq!(
        default_run_name(time, id, |taken| taken == name),
        "run_20260121_130012_3f2a9"
    );
    assert_eq!(
        default_run_name(Timestamp(i64::MAX), id, |_| false),
        "run_3f2a"
    );
    assert!(default_run_name(time, id, |_| true).ends_with(&id.to_string()));
}

/// A second opinion on globs: plain recursion.
fn glob_by_recursion(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), None) => glob_by_recursion(rest, text),
        (Some(_), None) | (None, Some(_)) => false,
        (Some(('*', rest)), Some((_, tail))) => {
            glob_by_recursion(rest, text) || glob_by_recursion(pattern, tail)
        }
        (Some((p, rest)), Some((t, tail))) => {
            (*p == '?' || p == t) && glob_by_recursion(rest, tail)
        }
    }
}

proptest! {
    #[test]
    fn globs_match_as_recursion_says(pattern in "[ab*?]{0,8}", text in "[ab]{0,10}") {
        let expected = glob_by_recursion(
            &pattern.chars().collect::<Vec<_>>(),
            &text.chars().collect::<Vec<_>>(),
        );
        prop_assert_eq!(glob_matches(&pattern, &text), expected);
    }

    #[test]
    fn short_forms_name_one_and_are_read_back(
        seeds in proptest::collection::btree_set(0_u64..5000, 1..40),
    ) {
        let all: Vec<Uid> = {
            let mut all: Vec<Uid> = seeds
                .iter()
                .map(|&seed| uid(&format!("{:016x}", seed << 12)))
                .collect();
            all.sort_unstable();
            all
        };
        let candidates: Vec<Candidate<'_>> = all
            .iter()
            .map(|&uid| Candidate { uid, ..run("0", 1, "x") })
            .collect();
        for (at, &uid) in all.iter().enumerate() {
            let short = short(&all, uid);
            prop_assert!(short.len() >= 8);
            prop_assert_eq!(resolve(&short, &candidates), Resolution::One(at));
        }
    }

    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        resolve(&text, &book());
    }

    #[test]
    fn labels_round_trip(number in any::<u64>()) {
        prop_assert_eq!(parse_run_label(&run_label(number)), Some(number));
    }
}
