use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::config::parse;
use crate::id::{RunUid, Uid};

const CONFIG: &str = "
experiment: {name: x, description: old}
task: {command: [run, '--n={n}', '--seed={seed}', '{run_dir}/{trial}'], env: {V: '{variation}'}, data_path: d}
variations:
  - {name: a, n: 1.0}
  - {name: b, n: 2}
trials: 3
random_seed: 42
";

fn keys(text: &str) -> Vec<String> {
    let config = parse(text, "c").unwrap().config;
    expand(&config, config.random_seed.unwrap_or(7))
        .into_iter()
        .map(|run| run.key)
        .collect()
}

#[test]
fn runs_go_variation_by_variation() {
    let config = parse(CONFIG, "c").unwrap().config;
    let runs = expand(&config, 42);
    let order: Vec<_> = runs
        .iter()
        .map(|run| (run.variation.as_str(), run.trial))
        .collect();
    assert_eq!(
        order,
        [("a", 1), ("a", 2), ("a", 3), ("b", 1), ("b", 2), ("b", 3)]
    );
    let distinct: BTreeSet<_> = runs.iter().map(|run| (&run.key, run.seed)).collect();
    assert_eq!(distinct.len(), 6);
    assert_eq!(runs[0].key.len(), 32);
    for (name, value) in [
        ("n", "2"),
        ("trial", "2"),
        ("variation", "b"),
        ("data_path", "d"),
        ("experiment", "x"),
    ] {
        assert_eq!(runs[4].value(&config, name).as_deref(), Some(value));
    }
    assert_eq!(
        runs[4].value(&config, "seed"),
        Some(runs[4].seed.to_string())
    );
    assert_eq!(runs[4].value(&config, "run_dir"), None);
}

#[test]
fn words_order_and_number_leave_keys_alone() {
    let old = keys(CONFIG);
    for (from, to) in [
        ("description: old", "notes: new, tags: [t]"),
        ("{command:", "{description: words, timeout: 5, command:"),
        ("data_path: d", "data_path: d, type: word"),
        (
            "trials: 3",
            "trials: 3\nmetrics: [m]\nsuccess_criteria: [m < 1]",
        ),
        (
            "{name: b, n: 2}",
            "{name: b, baseline: true, params: {n: 2}}",
        ),
    ] {
        assert_eq!(keys(&CONFIG.replace(from, to)), old, "{to}");
    }
    let turned = CONFIG.replace(
        "  - {name: a, n: 1.0}\n  - {name: b, n: 2}",
        "  - {name: b, n: 2}\n  - {name: a, n: 1.0}",
    );
    assert_eq!(keys(&turned), [&old[3..], &old[..3]].concat());
    let more = keys(&CONFIG.replace("trials: 3", "trials: 5"));
    assert_eq!([&more[..3], &more[5..8]].concat(), old);
    // Without a seed in the config, the drawn one does not matter.
    let unseeded = parse(&CONFIG.replace("random_seed: 42", ""), "c")
        .unwrap()
        .config;
    let drawn = |base| {
        expand(&unseeded, base)
            .into_iter()
            .map(|run| run.key)
            .collect::<Vec<_>>()
    };
    assert_eq!(drawn(1), drawn(2));
}

#[test]
fn whatever_changes_a_run_changes_its_key() {
    let old: BTreeSet<String> = keys(CONFIG).into_iter().collect();
    for (from, to) in [
        ("random_seed: 42", "random_seed: 43"),
        ("random_seed: 42", ""),
        ("[run,", "[ran,"),
        ("'--seed={seed}'", "'--seed={{seed}}'"),
        ("V: '{variation}'", "W: '{variation}'"),
        ("data_path: d", "data_path: e"),
        ("data_path: d", "data_path: d, cwd: e"),
        ("{run_dir}/{trial}", "{run_dir}-{trial}"),
    ] {
        let new: BTreeSet<String> = keys(&CONFIG.replace(from, to)).into_iter().collect();
        assert!(new.is_disjoint(&old), "{to}");
    }
    let one = keys(&CONFIG.replace("n: 1.0", "n: 1"));
    assert_ne!(one[0], keys(CONFIG)[0], "the program sees another text");
    assert_eq!(one[3..], keys(CONFIG)[3..]);
}

fn uid(number: u8) -> RunUid {
    RunUid(Uid([number; 16]))
}

fn existing(plan: &[PlannedRun], at: usize, attempt: u64, state: ExistingState) -> ExistingRun {
    ExistingRun {
        run: uid((at * 10) as u8 + attempt as u8),
        key: plan[at].key.clone(),
        attempt,
        state,
    }
}

/// One run of each state, a retry that was cancelled, and a run of an older config.
fn mixed(plan: &[PlannedRun]) -> Vec<ExistingRun> {
    vec![
        existing(plan, 0, 1, ExistingState::Completed),
        existing(plan, 1, 1, ExistingState::Failed),
        existing(plan, 2, 1, ExistingState::Running),
        existing(plan, 3, 2, ExistingState::Cancelled),
        existing(plan, 3, 1, ExistingState::Failed),
        existing(plan, 4, 1, ExistingState::Queued),
        ExistingRun {
            run: uid(99),
            key: "old".to_owned(),
            attempt: 1,
            state: ExistingState::Completed,
        },
    ]
}

fn decide(mode: Mode, only: &[&str]) -> Result<Decisions, PlanError> {
    let config = parse(CONFIG, "c").unwrap().config;
    let plan = expand(&config, 42);
    let only = only.iter().map(|&name| name.to_owned()).collect();
    reconcile(&plan, &mixed(&plan), &Choice { mode, only })
}

fn actions(mode: Mode, only: &[&str]) -> Vec<Action> {
    let decisions = decide(mode, only).unwrap().decisions;
    decisions
        .into_iter()
        .map(|decision| decision.action)
        .collect()
}

#[test]
fn resuming_starts_what_never_finished() {
    let start = |attempt, after, why| Action::Start {
        attempt,
        after,
        why,
    };
    let take = Action::Take {
        run: uid(41),
        attempt: 1,
    };
    let done = Action::Done { run: uid(1) };
    let busy = Action::Busy { run: uid(21) };
    let failed = Action::Failed { run: uid(11) };
    let cancelled = start(3, Some(uid(32)), Why::Cancelled);
    assert_eq!(
        actions(Mode::Resume, &[]),
        [
            done,
            failed,
            busy,
            cancelled,
            take,
            start(1, None, Why::NeverRun)
        ]
    );
    let retried = start(2, Some(uid(11)), Why::Failed);
    assert_eq!(actions(Mode::RetryFailed, &[])[..3], [done, retried, busy]);
    let rerun = |run| start(2, Some(uid(run)), Why::Rerun);
    assert_eq!(actions(Mode::Rerun, &[])[..3], [rerun(1), rerun(11), busy]);
    assert_eq!(
        actions(Mode::Resume, &["b"])[..4],
        [
            Action::NotChosen,
            Action::NotChosen,
            Action::NotChosen,
            cancelled
        ]
    );
}

#[test]
fn a_completed_attempt_counts_until_a_later_one_ended_by_itself() {
    use ExistingState::{Cancelled, Completed, Failed, Queued, Running, Stale};
    for (attempts, expected) in [
        (&[][..], None),
        (&[Completed, Queued], Some(0)),
        (&[Completed, Cancelled, Stale, Running], Some(0)),
        (&[Completed, Failed, Queued], Some(2)),
        (&[Completed, Completed, Queued], Some(1)),
        (&[Failed, Cancelled], Some(1)),
        (&[Queued], Some(0)),
    ] {
        assert_eq!(counting(attempts), expected, "{attempts:?}");
    }
}

#[test]
fn an_interrupted_rerun_takes_no_result_away() {
    let config = parse(CONFIG, "c").unwrap().config;
    let plan = expand(&config, 42);
    let runs = [
        existing(&plan, 0, 1, ExistingState::Completed),
        existing(&plan, 0, 2, ExistingState::Queued),
        existing(&plan, 1, 1, ExistingState::Completed),
        existing(&plan, 1, 2, ExistingState::Cancelled),
        existing(&plan, 2, 1, ExistingState::Completed),
        existing(&plan, 2, 2, ExistingState::Failed),
    ];
    let first = |mode| {
        let only = Vec::new();
        let decisions = reconcile(&plan, &runs, &Choice { mode, only }).unwrap();
        let decisions = decisions.decisions.into_iter().take(3);
        decisions.map(|it| it.action).collect::<Vec<_>>()
    };
    let failed = Action::Failed { run: uid(22) };
    let (first_done, second_done) = (Action::Done { run: uid(1) }, Action::Done { run: uid(11) });
    assert_eq!(first(Mode::Resume), [first_done, second_done, failed]);
    let (run, attempt) = (uid(2), 2);
    let start = |after| Action::Start {
        attempt: 3,
        after: Some(after),
        why: Why::Rerun,
    };
    assert_eq!(
        first(Mode::Rerun),
        [
            Action::Take { run, attempt },
            Action::Start {
                attempt: 3,
                after: Some(uid(12)),
                why: Why::Cancelled,
            },
            start(uid(22))
        ]
    );
}

#[test]
fn decisions_are_counted_and_names_checked() {
    let decisions = decide(Mode::Resume, &[]).unwrap();
    assert_eq!(decisions.unplanned, [uid(99)]);
    let tally = Tally {
        chosen: 6,
        done: 1,
        failed: 1,
        busy: 1,
        to_start: 3,
    };
    assert_eq!(decisions.tally(), tally);
    let error = decide(Mode::Resume, &["B"]).unwrap_err();
    assert_eq!(error.to_string(), "there is no variation `B`");
    assert_eq!(error.hint(), "did you mean `b`?");
}

fn states() -> impl Strategy<Value = ExistingState> {
    prop::sample::select(vec![
        ExistingState::Queued,
        ExistingState::Running,
        ExistingState::Stale,
        ExistingState::Completed,
        ExistingState::Failed,
        ExistingState::Cancelled,
    ])
}

proptest! {
    #[test]
    fn resuming_ends_and_never_repeats_a_completed_run(
        found in prop::collection::vec((0_usize..6, 1_u64..4, states()), 0..12),
        mode in prop::sample::select(vec![Mode::Resume, Mode::RetryFailed, Mode::Rerun]),
    ) {
        let config = parse(CONFIG, "c").unwrap().config;
        let plan = expand(&config, 42);
        let mut seen = BTreeSet::new();
        let mut runs: Vec<ExistingRun> = found
            .into_iter()
            .filter(|(at, attempt, _)| seen.insert((*at, *attempt)))
            .map(|(at, attempt, state)| existing(&plan, at, attempt, state))
            .collect();
        let choice = Choice { mode, only: Vec::new() };
        let decisions = reconcile(&plan, &runs, &choice).unwrap();
        let mut turned = runs.clone();
        turned.reverse();
        prop_assert_eq!(&reconcile(&plan, &turned, &choice).unwrap(), &decisions);

        for (at, decision) in decisions.decisions.iter().enumerate() {
            let own: Vec<ExistingRun> = runs.iter().filter(|run| run.key == decision.planned.key).cloned().collect();
            let has = |state| own.iter().any(|run| run.state == state);
            if let Action::Start { attempt, .. } = decision.action {
                prop_assert!(own.iter().all(|run| run.attempt < attempt));
                prop_assert!(!has(ExistingState::Running));
                let ends = |state| own.iter().filter(|run| run.state == state).map(|run| run.attempt).max();
                let fails_later = ends(ExistingState::Failed) > ends(ExistingState::Completed);
                prop_assert!(mode == Mode::Rerun || !has(ExistingState::Completed) || fails_later);
                runs.push(existing(&plan, at, attempt, ExistingState::Completed));
            }
            if let Action::Take { run, .. } = decision.action {
                let taken = runs.iter_mut().find(|other| other.run == run).unwrap();
                taken.state = ExistingState::Completed;
            }
        }
        // Once all that was started is completed, resuming starts nothing.
        let after = reconcile(&plan, &runs, &Choice::default()).unwrap();
        prop_assert_eq!(after.tally().to_start, 0);
    }
}
