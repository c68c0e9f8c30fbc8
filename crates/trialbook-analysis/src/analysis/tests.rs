use proptest::prelude::*;
use trialbook_model::filter::KeyKind;
use trialbook_model::id::{ExperimentNo, ExperimentUid, RunUid, Uid, WriterUid};
use trialbook_model::record::*;
use trialbook_model::state::Baseline as Mark;
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;
use trialbook_store::reference::Reference;

mod besides;
mod table;

use super::*;
use crate::finding::{Outcome, Warning};
use crate::history::bytes;

const EXPERIMENT: ExperimentUid = ExperimentUid(Uid([1; 16]));

/// A run of the fixture.
#[derive(Debug, Clone)]
struct Run {
    variation: &'static str,
    trial: u64,
    attempt: u64,
    value: f64,
    environment: &'static str,
}

fn trial(variation: &'static str, trial: u64, value: f64) -> Run {
    Run {
        variation,
        trial,
        attempt: 1,
        value,
        environment: "",
    }
}

fn config(policy: &str) -> serde_json::Value {
    let text = format!(
        "
experiment: {{name: t}}
task: {{command: [\"true\"]}}
variations: [{{name: a}}, {{name: b}}]
trials: 4
metrics: [loss]
seed_policy: {policy}
"
    );
    let parsed = trialbook_model::config::parse(&text, "t.yaml").unwrap();
    parsed.config.document()
}

fn uid(at: usize) -> RunUid {
    let [high, low] = (at as u16 + 10).to_be_bytes();
    let mut bytes = [low; 16];
    bytes[0] = high + 1;
    RunUid(Uid(bytes))
}

fn ops_of(at: usize, run: &Run) -> Vec<Op> {
    let uid = uid(at);
    let mut ops = vec![
        Op::StartRun(StartRun {
            experiment: EXPERIMENT,
            variation: Some(run.variation.to_owned()),
            trial: Some(run.trial),
            attempt: Some(run.attempt),
            ..StartRun::of(uid)
        }),
        Op::Points(Points {
            subject: Subject::Run(uid),
            step: 0,
            time: Timestamp(0),
            set: false,
            values: vec![(SeriesKey::plain("loss"), run.value)],
        }),
        Op::SetStatus(SetStatus {
            run: uid,
            status: RunStatus::Completed,
            started: None,
            ended: Some(Timestamp(9)),
            error: None,
            exit_code: None,
        }),
    ];
    if !run.environment.is_empty() {
        let document = serde_json::json!({"hostname": run.environment, "platform": "x"});
        ops.push(Op::LinkSnapshot(LinkSnapshot {
            run: uid,
            kind: "environment".to_owned(),
            sha256: canonical::hash(&document),
            document: Some(document),
        }));
    }
    ops
}

fn book(policy: &str, ops: Vec<Op>) -> (Reference, ExperimentRow) {
    let create = Op::CreateExperiment(CreateExperiment {
        experiment: EXPERIMENT,
        project: "default".to_owned(),
        name: "t".to_owned(),
        handle: None,
        document: config(policy),
        config_hash: None,
    });
    let signed = |(at, op): (usize, Op)| Signed {
        time: Timestamp(at as i64 + 1),
        writer: WriterUid::default(),
        seq: at as u64 + 1,
        actor: None,
        operation: None,
        op,
    };
    let all = std::iter::once(create).chain(ops).enumerate();
    let mut book = Reference::new();
    book.seal(&all.map(signed).collect::<Vec<_>>());
    let experiment = book.experiment(ExperimentNo(1)).unwrap().unwrap();
    (book, experiment)
}

fn asked(policy: &str, runs: &[Run], more: Vec<Op>, request: &Request) -> Analysis {
    let ops = runs
        .iter()
        .enumerate()
        .flat_map(|(at, run)| ops_of(at, run));
    let (book, experiment) = book(policy, ops.chain(more).collect());
    analyse(&book, &experiment, request, "test").unwrap()
}

fn four_each() -> Vec<Run> {
    let a = [1.0, 2.0, 3.0, 5.0].into_iter().zip(1..);
    let b = [1.5, 2.4, 3.6, 5.5].into_iter().zip(1..);
    let a = a.map(|(value, at)| trial("a", at, value));
    let b = b.map(|(value, at)| trial("b", at, value));
    a.chain(b).collect()
}

#[test]
fn a_paired_design_is_tested_as_pairs() {
    let found = asked("paired", &four_each(), Vec::new(), &Request::default());
    let contrast = &found.metrics[0].contrasts[0];
    let pairs = contrast.pairs.as_ref().unwrap();
    assert_eq!(
        (pairs.n, pairs.unmatched, pairs.by.as_str()),
        (4, 0, "trial")
    );
    let Outcome::Tested(tested) = &contrast.outcome else {
        panic!("{contrast:?}")
    };
    // scipy.stats.ttest_rel([1.5, 2.4, 3.6, 5.5], [1, 2, 3, 5])
    assert_eq!(tested.test, "paired t test");
    assert!((tested.statistic.unwrap() - 12.247_448_713_915_89).abs() < 1e-9);
    assert_eq!(found.varies_over, "seeds");
    let plain = asked("derived", &four_each(), Vec::new(), &Request::default());
    let Outcome::Tested(tested) = &plain.metrics[0].contrasts[0].outcome else {
        panic!("{plain:?}")
    };
    assert_eq!(tested.test, "Welch's t test");
}

#[test]
fn trials_without_a_partner_are_counted() {
    let mut runs = four_each();
    runs.pop();
    let found = asked("paired", &runs, Vec::new(), &Request::default());
    let pairs = found.metrics[0].contrasts[0].pairs.as_ref().unwrap();
    assert_eq!((pairs.n, pairs.unmatched), (3, 1));
    let unmatched = |warning: &&Warning| matches!(warning, Warning::Unmatched { values: 1, .. });
    assert_eq!(found.warnings.iter().filter(unmatched).count(), 1);
}

#[test]
fn the_marked_baseline_is_held_against_whatever_the_order() {
    let mark = Mark::Variation {
        experiment: EXPERIMENT,
        name: "b".to_owned(),
    };
    let mark = mark.mark("default", &EXPERIMENT.to_string());
    let ops = vec![Op::SetPointer(mark)];
    let found = asked("derived", &four_each(), ops, &Request::default());
    let baseline = found.baseline.unwrap();
    assert_eq!(
        (baseline.arm.as_str(), baseline.because),
        ("b", Because::Marked)
    );
    let run = Mark::Run(uid(0)).mark("default", &EXPERIMENT.to_string());
    let ops = vec![Op::SetPointer(run)];
    let found = asked("derived", &four_each(), ops, &Request::default());
    assert_eq!(
        found.baseline.unwrap().arm,
        "a",
        "the arm of the marked run"
    );
    let request = Request {
        baseline: Some("b".to_owned()),
        ..Request::default()
    };
    let found = asked("derived", &four_each(), Vec::new(), &request);
    assert_eq!(found.baseline.unwrap().because, Because::Asked);
}

#[test]
fn an_environment_that_goes_with_the_arms_is_told_of() {
    let mut runs = four_each();
    for run in &mut runs {
        run.environment = if run.variation == "a" { "one" } else { "two" };
    }
    let found = asked("derived", &runs, Vec::new(), &Request::default());
    let changed = |warning: &Warning| {
        if let Warning::ChangedEnvironment {
            different,
            keys,
            between_arms,
        } = warning
        {
            return Some((*different, keys.clone(), *between_arms));
        }
        None
    };
    let changed = found.warnings.iter().find_map(changed);
    assert_eq!(changed, Some((2, vec!["hostname".to_owned()], true)));
}

#[test]
fn a_retried_trial_counts_once_and_is_told_of() {
    let mut runs = four_each();
    runs[0].attempt = 2;
    let mut first = trial("a", 1, 100.0);
    first.attempt = 1;
    runs.push(first);
    let found = asked("derived", &runs, Vec::new(), &Request::default());
    assert_eq!(found.metrics[0].arms[0].n, 4);
    assert_eq!((found.arms[0].retried, found.arms[0].superseded), (1, 1));
    let retried = |warning: &Warning| matches!(warning, Warning::Retried { .. });
    assert!(found.warnings.iter().any(retried));
}

#[test]
fn what_is_archived_counts_nowhere_and_is_told_of() {
    let mut runs = four_each();
    runs.push(trial("a", 5, 100.0));
    let archive = Op::SetField(SetField {
        subject: Subject::Run(uid(runs.len() - 1)),
        field: "archived".to_owned(),
        value: true.into(),
    });
    let found = asked("derived", &runs, vec![archive], &Request::default());
    assert_eq!(found.metrics[0].arms[0].n, 4);
    assert!(found.warnings.contains(&Warning::Archived { runs: 1 }));
}

#[test]
fn earlier_answers_on_other_data_are_looks() {
    let first = asked("derived", &four_each(), Vec::new(), &Request::default());
    let keep = |analysis: &Analysis| {
        Op::PutArtifact(PutArtifact {
            subject: Subject::Experiment(EXPERIMENT),
            path: history::path(&analysis.question, &analysis.inputs),
            sha256: Some("0".repeat(64)),
            size: Some(1),
            uri: None,
            r#type: Some(history::TYPE.to_owned()),
            role: None,
            step: None,
            description: None,
            removed: false,
        })
    };
    let mut more = four_each();
    more.push(trial("b", 5, 4.0));
    let second = asked("derived", &more, vec![keep(&first)], &Request::default());
    assert_eq!((first.look, second.look), (1, 2));
    assert_eq!(second.warnings[0], Warning::Peeked { look: 2 });
    // Neither an open run nor the same tests by other words are another look.
    let mut open = ops_of(30, &trial("b", 6, 0.0));
    open.truncate(1);
    let words = Request {
        metrics: vec!["loss".to_owned()],
        test: Test::Welch,
        baseline: Some("a".to_owned()),
        ..Request::default()
    };
    open.push(keep(&first));
    let same = asked("derived", &four_each(), open, &words);
    assert_eq!((same.look, same.question_no), (1, 1));
    assert_eq!(same.inputs.data, first.inputs.data);
    assert_eq!(same.question.hash(), first.question.hash());
    // Another baseline is another question, and says so.
    let turned = Request {
        baseline: Some("b".to_owned()),
        ..Request::default()
    };
    let turned = asked("derived", &four_each(), vec![keep(&first)], &turned);
    assert_eq!((turned.look, turned.question_no), (1, 2));
    assert_eq!(turned.warnings[0], Warning::OtherQuestions { question: 2 });
    let kept = vec![keep(&first), keep(&second)];
    let again = asked("derived", &more, kept.clone(), &Request::default());
    assert_eq!(again.look, 2, "its own answer is no earlier look");
    let back = asked("derived", &four_each(), kept, &Request::default());
    assert_eq!(
        back.look, 1,
        "a later look does not change the number of an earlier one"
    );
}

#[test]
fn several_params_that_vary_need_a_choice() {
    let (book, experiment) = book("derived", Vec::new());
    let request = Request {
        by: vec![Key::new(KeyKind::Param, "lr")],
        ..Request::default()
    };
    let empty = analyse(&book, &experiment, &request, "test").unwrap();
    assert!(empty.arms.is_empty() && empty.baseline.is_none());
}

fn of_values(a: &[f64], b: &[f64]) -> Vec<Run> {
    let of = |arm: &'static str, values: &[f64]| -> Vec<Run> {
        let values = values.iter().zip(1..);
        values.map(|(value, at)| trial(arm, at, *value)).collect()
    };
    [of("a", a), of("b", b)].concat()
}

/// The only contrast, tested.
fn tested(found: &Analysis) -> &crate::finding::Tested {
    match &found.metrics[0].contrasts[0].outcome {
        Outcome::Tested(tested) => tested,
        cannot @ Outcome::CannotTest { .. } => panic!("{cannot:?}"),
    }
}

#[test]
fn ranks_name_the_better_by_their_direction() {
    let ranks = Request {
        test: Test::MannWhitney,
        ..Request::default()
    };
    // Most of b is above a, though the median of b is a little below that of a: 10 of b's values are above all of a.
    let a: Vec<f64> = (0..21).map(|at| 10.0 + f64::from(at) / 100.0).collect();
    let mut b: Vec<f64> = (0..11).map(|at| 10.09 + f64::from(at) / 1000.0).collect();
    b.extend((0..10).map(|at| 20.0 + f64::from(at)));
    b[10] = 10.0995;
    let found = asked("derived", &of_values(&a, &b), Vec::new(), &ranks);
    let disagree = tested(&found);
    let r = disagree.effect.as_ref().unwrap().estimate;
    assert!(disagree.differs && r > 0.3, "{disagree:?}");
    assert!(disagree.difference > 0.0 && disagree.medians_disagree);
    assert_eq!(disagree.better, None);
    // Equal medians are no contradiction: the ranks say it (of loss, less is better).
    b[10] = 10.1;
    let found = asked("derived", &of_values(&a, &b), Vec::new(), &ranks);
    let equal = tested(&found);
    assert!(equal.differs && equal.difference > 0.0 && !equal.medians_disagree);
    assert_eq!(equal.better.as_deref(), Some("a"));
}

#[test]
fn values_of_0_and_1_are_compared_as_shares() {
    let shares = |hits: usize, n: usize| -> Vec<f64> {
        (0..n).map(|at| f64::from(u8::from(at < hits))).collect()
    };
    // scipy.stats.fisher_exact([[1, 9], [8, 2]])
    let runs = of_values(&shares(8, 10), &shares(1, 10));
    let found = asked("derived", &runs, Vec::new(), &Request::default());
    assert!(found.metrics[0].rate);
    let fisher = tested(&found);
    assert_eq!(
        (fisher.test, fisher.statistic),
        ("Fisher's exact test", None)
    );
    assert!(
        (fisher.p - 0.005_477_494_641_581_328).abs() < 1e-9,
        "{}",
        fisher.p
    );
    let interval = fisher.interval.as_ref().unwrap();
    assert_eq!(interval.method, "Newcombe");
    assert!(-1.0 <= interval.low && interval.high < 0.0);
    let described = found.metrics[0].arms[0].described.as_ref().unwrap();
    let wilson = described.interval.as_ref().unwrap();
    assert!(wilson.method == "Wilson" && wilson.high <= 1.0);
    // scipy.stats.chi2_contingency([[12, 18], [21, 9]], correction=False)
    let runs = of_values(&shares(21, 30), &shares(12, 30));
    let found = asked("derived", &runs, Vec::new(), &Request::default());
    let squared = tested(&found);
    assert_eq!(squared.test, crate::finding::CHI_SQUARED);
    assert!((squared.statistic.unwrap() - 5.454_545_454_545_455).abs() < 1e-9);
    // Of the same pairs: 0 and 7 flipped, so 2 / 2^7.
    let runs = of_values(&shares(8, 10), &shares(1, 10));
    let found = asked("paired", &runs, Vec::new(), &Request::default());
    let mcnemar = tested(&found);
    assert_eq!(mcnemar.test, "McNemar's exact test");
    assert!((mcnemar.p - 0.015_625).abs() < 1e-12);
    let welch = Request {
        test: Test::Welch,
        ..Request::default()
    };
    let found = asked("derived", &runs, Vec::new(), &welch);
    assert!(!found.metrics[0].rate && tested(&found).test == "Welch's t test");
}

#[test]
fn what_pairs_cannot_show_is_said_of_their_differences() {
    let reason = |found: &Analysis| match &found.metrics[0].contrasts[0].outcome {
        Outcome::CannotTest { reason, .. } => reason.clone(),
        tested @ Outcome::Tested(_) => panic!("{tested:?}"),
    };
    let runs = of_values(&[1.5, 2.5, 4.0], &[1.5, 2.5, 4.0]);
    let found = asked("paired", &runs, Vec::new(), &Request::default());
    assert_eq!(reason(&found), "the differences of the pairs do not vary");
    let runs = [trial("a", 1, 1.5), trial("a", 2, 2.0), trial("b", 3, 3.0)];
    let found = asked("paired", &runs, Vec::new(), &Request::default());
    assert_eq!(reason(&found), "the arms have no trial in common");
}

#[test]
fn few_values_are_looked_at_from_another_side() {
    let found = asked("paired", &four_each(), Vec::new(), &Request::default());
    // All four differences are positive: 2 of 16 signs are as extreme.
    assert_eq!(tested(&found).p_sign_flip, Some(0.125));
    assert_eq!(tested(&found).a12, None);
    let runs = of_values(&[1.0, 2.0, 3.0], &[2.0, 9.0, 30.0]);
    let found = asked("derived", &runs, Vec::new(), &Request::default());
    // (0.5 + 1 + 1 + 3·2) pairs of 9 hold a greater b; the baseline's sd is 1.
    assert_eq!(tested(&found).a12, Some(7.5 / 9.0));
    let glass = tested(&found).glass_delta.unwrap();
    assert!((glass - 35.0 / 3.0).abs() < 1e-9, "{glass}");
    let ranks = Request {
        test: Test::MannWhitney,
        ..Request::default()
    };
    let runs = of_values(&[1.0, 1.0, 2.0, 3.0], &[1.0, 2.0, 2.0, 4.0]);
    let found = asked("derived", &runs, Vec::new(), &ranks);
    let tied = |it: &Warning| matches!(it, Warning::Tied { share, .. } if *share == 0.75);
    assert!(found.warnings.iter().any(tied), "{:?}", found.warnings);
}

#[test]
fn neighbours_without_trials_are_those_in_time() {
    let ops = (0..12).flat_map(|at: usize| {
        // Ids in an order of their own.
        let mut ops = ops_of(at * 5 % 12, &trial("a", 1, at as f64));
        if let Op::StartRun(start) = &mut ops[0] {
            start.trial = None;
            start.started = Timestamp(100 + at as i64);
        }
        ops
    });
    let found = asked("derived", &[], ops.collect(), &Request::default());
    let alike = |it: &Warning| matches!(it, Warning::Autocorrelated { correlation, .. } if *correlation > 0.6);
    assert!(found.warnings.iter().any(alike), "{:?}", found.warnings);
}

#[test]
fn intervals_leave_out_what_alpha_says() {
    let at = |alpha| {
        let request = Request {
            alpha,
            ..Request::default()
        };
        asked("derived", &four_each(), Vec::new(), &request)
    };
    for alpha in [0.05, 0.01, 0.5] {
        let found = at(alpha);
        assert_eq!(found.level, 1.0 - alpha);
        let tested = tested(&found);
        let interval = tested.interval.as_ref().unwrap();
        let is_outside = interval.low > 0.0 || interval.high < 0.0;
        assert_eq!(is_outside, tested.p < alpha, "{alpha}");
    }
    let width = |found: &Analysis| {
        let described = found.metrics[0].arms[0].described.as_ref().unwrap();
        let interval = described.interval.as_ref().unwrap();
        interval.high - interval.low
    };
    assert!(width(&at(0.01)) > 1.5 * width(&at(0.05)));
}

#[test]
fn a_shift_is_a_share_of_the_median() {
    let ranks = Request {
        test: Test::MannWhitney,
        ..Request::default()
    };
    let b = [2.0, 4.0, 4.0, 4.0];
    let found = asked(
        "derived",
        &of_values(&[1.0, 2.0, 2.0, 99.0], &b),
        Vec::new(),
        &ranks,
    );
    assert_eq!(tested(&found).relative, Some(1.0));
    let found = asked(
        "derived",
        &of_values(&[0.0, 0.0, 0.0, 99.0], &b),
        Vec::new(),
        &ranks,
    );
    assert_eq!(tested(&found).relative, None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_order_of_runs_changes_no_byte(
        values in proptest::collection::vec(
            prop_oneof![Just(f64::NAN), Just(1.0), -1e3..1e3_f64],
            2..12,
        ),
        shift in 0..12_usize,
    ) {
        let runs: Vec<Run> = values
            .iter()
            .zip(1..)
            .map(|(value, at)| trial(if at % 2 == 0 { "a" } else { "b" }, at / 2 + 1, *value))
            .collect();
        let blocks: Vec<Vec<Op>> = runs.iter().enumerate().map(|(at, run)| ops_of(at, run)).collect();
        let ask = |blocks: Vec<Vec<Op>>| {
            let (book, experiment) = book("derived", blocks.into_iter().flatten().collect());
            bytes(&analyse(&book, &experiment, &Request::default(), "test").unwrap())
        };
        let mut turned = blocks.clone();
        turned.rotate_left(shift % blocks.len());
        turned.reverse();
        let text = ask(blocks);
        prop_assert!(!String::from_utf8_lossy(&text).contains("NaN"));
        prop_assert_eq!(text, ask(turned));
    }
}
