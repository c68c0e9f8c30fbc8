//! Runs and experiments beside each other, and ranked.

#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

mod sandbox;

use sandbox::Sandbox;

/// A run with params and metrics, ended.
fn run(sandbox: &Sandbox, name: &str, params: &str, metrics: &str) -> String {
    let id = sandbox.start(&format!("--name {name} {params}"));
    if !metrics.is_empty() {
        sandbox
            .say(&format!("log metric {metrics} --run {id}"))
            .ok();
    }
    sandbox.say(&format!("end --run {id}")).ok();
    id
}

fn transformers(sandbox: &Sandbox) -> Vec<String> {
    let of = |name, model: &str, metrics| {
        let params = format!("--param model={model} --param lr=1e-5");
        run(sandbox, name, &params, metrics)
    };
    vec![
        of(
            "BERT-baseline",
            "bert",
            "val_accuracy=0.89 val_f1=0.87 inference_time=45",
        ),
        of(
            "RoBERTa-large",
            "roberta",
            "val_accuracy=0.92 val_f1=0.90 inference_time=120",
        ),
        of(
            "DistilBERT-fast",
            "distil",
            "val_accuracy=0.86 val_f1=0.84 inference_time=15",
        ),
    ]
}

/// T-5, C-29.
#[test]
fn three_transformers_are_compared_as_the_document_does() {
    let sandbox = Sandbox::new();
    let ids = transformers(&sandbox).join(",");
    let said = sandbox
        .run([
            "compare",
            "--experiment-ids",
            &ids,
            "--metrics",
            "val_accuracy,val_f1,inference_time",
        ])
        .ok();
    let expected = "\
3 runs, each against BERT-baseline (the first: no baseline is marked among them)

Params and configs that differ (1 of 2)
KEY    BERT-baseline  RoBERTa-large  DistilBERT-fast
model  bert           roberta        distil

Metrics
SUBJECT               val_accuracy             val_f1    inference_time
BERT-baseline                 0.89               0.87                45
RoBERTa-large    0.92 (+0.03, +3%)   0.9 (+0.03, +3%)  120 (+75, +167%)
DistilBERT-fast  0.86 (-0.03, -3%)  0.84 (-0.03, -3%)    15 (-30, -67%)

Winner: RoBERTa-large (best val_accuracy 0.92, best val_f1 0.9); DistilBERT-fast (best inference_time 15)
One run each: whether that is chance cannot be said.
Assumed from the names: more val_accuracy and val_f1 is better; less inference_time is better.
";
    assert_eq!(said, expected);
    let all = sandbox.say("compare Default --all --metrics val_f1").ok();
    assert!(all.contains("\nlr     1e-5 "), "{all}");
    assert!(
        all.starts_with("3 runs, each against DistilBERT-fast"),
        "{all}"
    );
    let json = sandbox
        .say("compare BERT-baseline RoBERTa-large --json")
        .json();
    assert_eq!(json["metrics"][1]["key"], "val_accuracy");
    assert_eq!(json["metrics"][1]["best"], serde_json::json!([1]));
    let delta = json["metrics"][1]["cells"][1]["delta"].as_f64().unwrap();
    assert!((delta - 0.03).abs() < 1e-12);
    let named = sandbox.say("compare Default --baseline RoBERTa-large").ok();
    assert!(named.contains("each against RoBERTa-large"), "{named}");
    sandbox.say("compare Default --baseline other").failed(2);
}

/// M-17, M-19, T-5.
#[test]
fn what_is_missing_is_blank_and_ties_are_all_named() {
    let sandbox = Sandbox::new();
    run(&sandbox, "a", "", "score=1 loss=0.5");
    run(&sandbox, "b", "", "score=1");
    run(&sandbox, "c", "", "score=0 loss=NaN");
    let said = sandbox.say("compare a b c --metrics score,loss,nope");
    let said = said.ok();
    assert!(said.contains("warning: b has no `loss`"), "{said}");
    assert!(
        said.contains("warning: a, b and c have no `nope`"),
        "{said}"
    );
    assert!(said.contains("1 value of `loss` is not finite"), "{said}");
    assert!(
        said.contains("Winner: a and b (best score 1); a (best loss 0.5)"),
        "{said}"
    );
    assert!(said.contains("NaN"), "{said}");
    let unknown = sandbox.say("compare a nobody").failed(3);
    assert!(
        unknown.contains("no run of this book is called `nobody`"),
        "{unknown}"
    );
    sandbox.say("compare").failed(2);
    sandbox.say("compare a --agg median").failed(2);
}

/// M-19.
#[test]
fn runs_of_other_experiments_are_compared_with_a_warning() {
    let sandbox = Sandbox::new();
    run(&sandbox, "a", "--experiment one", "loss=1");
    run(&sandbox, "b", "--experiment two", "loss=2");
    let said = sandbox.say("compare a b").ok();
    assert!(
        said.contains("different experiments (one and two)"),
        "{said}"
    );
}

#[test]
fn more_runs_than_are_asked_for_are_left_out_aloud() {
    let sandbox = Sandbox::new();
    for name in ["a", "b", "c"] {
        run(&sandbox, name, "--experiment many", "loss=1");
    }
    let said = sandbox.say("compare many --limit 2");
    assert!(
        said.err.contains("means 3 runs: the newest 2 are compared"),
        "{said:?}"
    );
    assert!(said.ok().starts_with("2 runs, each against c"));
    let said = sandbox.say("compare many/run-* --limit 2");
    let cut = "`many/run-*` means more than 2 runs: the newest 2 are compared";
    assert!(said.err.contains(cut), "{said:?}");
    assert!(said.ok().starts_with("2 runs, each against c"));
    let all = sandbox.say("compare many/run-* --limit 3");
    assert_eq!(all.err, "");
    let by_experiment = sandbox.say("compare man* --limit 2");
    let cut = "`man*` means more than 2 runs";
    assert!(by_experiment.err.contains(cut), "{by_experiment:?}");
    let none = sandbox.say("compare other/run-*").failed(3);
    assert!(none.contains("other/run-*"), "{none}");
}

/// A run may be called as a glob reads: then the glob means it alone, however new the others are.
#[test]
fn a_run_called_like_a_glob_is_the_one_that_is_meant() {
    let sandbox = Sandbox::new();
    for name in ["a*", "ab", "ac"] {
        run(&sandbox, name, "--experiment many", "loss=1");
    }
    let said = sandbox.say("compare a* --limit 1");
    assert_eq!(said.err, "");
    assert_eq!(said.ok().lines().next(), Some("1 run: a*"));
    let said = sandbox.say("compare many/a* --limit 1");
    assert_eq!(said.ok().lines().next(), Some("1 run: a*"));
    let said = sandbox.say("compare ?? --limit 1");
    assert_eq!(said.out.lines().next(), Some("1 run: ac"));
}

/// What is marked as the baseline is the same for `compare` and `analyze`, also a run inside of an arm.
#[test]
fn a_marked_run_makes_its_arm_the_baseline_of_both() {
    let sandbox = Sandbox::new();
    arms(&sandbox, [&[1.0, 1.1, 0.9], &[9.0, 9.1, 8.9]]);
    let first = |words: &str| {
        let said = sandbox.say(words).ok();
        said.lines().next().unwrap().to_owned()
    };
    assert!(first("compare arms").contains("against far"));
    let json = sandbox.say("compare arms --json").json();
    let near = json["subjects"].as_array().unwrap();
    let near = near.iter().find(|it| it["title"] == "near").unwrap();
    let run = near["ids"][1].as_str().unwrap();
    sandbox.say(&format!("baseline {run}")).ok();
    assert!(first("compare arms").contains("against near (the marked baseline)"));
    assert!(first("analyze arms").contains("the others against near (the marked baseline)"));
}

/// Arms whose trials fail are compared by how often they complete.
#[test]
fn success_rates_of_arms_are_compared_where_trials_fail() {
    let sandbox = Sandbox::new();
    arms(&sandbox, [&[1.0; 9], &[9.0; 9]]);
    let json = sandbox.say("compare arms --json").json();
    assert!(json["success"].is_null(), "all completed");
    let sandbox = Sandbox::new();
    let near = [1.0, 1.1, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0, -1.0];
    arms(&sandbox, [&near, &[9.0; 9]]);
    let said = sandbox.say("compare arms").ok();
    // scipy.stats.fisher_exact([[9, 0], [2, 7]]): p = 0.0023
    for expected in [
        "Success rates\n",
        "2 of 9",
        "-78 pp",
        "Fisher's exact test  0.002     0.002",
    ] {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
    let said = sandbox.say("analyze arms").ok();
    for expected in [
        "success rate: near differs from far: -78 pp, 95% CI [-94, -34]",
        "Success rates are tested as a family of their own (1 test).",
        "Fisher's exact test, p = 0.002",
        "far is better (more is better)",
        "success rate of few trials (far: 9 and near: 9)",
    ] {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
}

/// T-29.
#[test]
fn a_leaderboard_ranks_the_runs_that_have_the_metric() {
    let sandbox = Sandbox::new();
    transformers(&sandbox);
    run(&sandbox, "twin", "", "val_f1=0.90 inference_time=12");
    run(&sandbox, "none", "", "");
    let words = "leaderboard --sort-by val_f1 --top 20 --filter inference_time<50";
    let said = sandbox.say(words).ok();
    assert!(
        said.starts_with("Top 3 of 3 runs by val_f1 (descending, assumed from its name)\n"),
        "{said}"
    );
    assert!(said.lines().nth(2).unwrap().contains("twin"), "{said}");
    let json = sandbox.say("leaderboard --sort-by val_f1 --json").json();
    let ranks: Vec<u64> = json["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["rank"].as_u64().unwrap())
        .collect();
    assert_eq!(ranks, [1, 1, 3, 4]);
    assert_eq!((&json["ranked"], &json["without"]), (&4.into(), &1.into()));
    let least = sandbox
        .say("leaderboard --sort-by inference_time --show model")
        .ok();
    assert!(least.contains("ascending") && least.lines().nth(2).unwrap().contains("twin"));
    sandbox.say("leaderboard --sort-by status").failed(2);
    // A name that no run has is answered with the nearest one.
    let misspelt = sandbox.say("leaderboard --sort-by f1");
    assert_eq!(misspelt.code, 0, "{misspelt:?}");
    let all = format!("{}{}", misspelt.out, misspelt.err);
    assert!(
        all.contains("no run has a metric `f1`; nearest: `val_f1`"),
        "{all}"
    );
    let json = sandbox.say("leaderboard --sort-by f1 --json").json();
    assert_eq!(json["nearest"], "val_f1");
    let named = sandbox.say("leaderboard Default --metric loss").ok();
    assert_eq!(
        named,
        sandbox.say("leaderboard --sort-by loss -e Default").ok()
    );
    sandbox.say("leaderboard nobody --metric loss").failed(3);
    sandbox.run(["leaderboard", "--sort-by", "a ="]).failed(4);
}

/// An experiment of two variations whose trials have these losses; those with a negative one fail.
fn arms(sandbox: &Sandbox, losses: [&[f64]; 2]) {
    arms_of(sandbox, "loss", losses);
}

/// The same of another metric.
fn arms_of(sandbox: &Sandbox, key: &str, losses: [&[f64]; 2]) {
    use trialbook_model::id::{ExperimentUid, RunUid, Uid};
    use trialbook_model::record::{
        CreateExperiment, Op, Points, SeriesKey, SetStatus, StartRun, Subject,
    };
    use trialbook_model::status::RunStatus;
    use trialbook_model::time::Timestamp;

    let experiment = ExperimentUid(Uid([9; 16]));
    let mut ops = vec![Op::CreateExperiment(CreateExperiment {
        experiment,
        project: "default".to_owned(),
        name: "arms".to_owned(),
        handle: None,
        document: serde_json::Value::Null,
        config_hash: None,
    })];
    for (at, (name, losses)) in ["near", "far"].iter().zip(losses).enumerate() {
        for (trial, loss) in losses.iter().enumerate() {
            let run = RunUid(Uid([(20 * at + trial + 1) as u8; 16]));
            ops.push(Op::StartRun(StartRun {
                experiment,
                variation: Some((*name).to_owned()),
                trial: Some(trial as u64 + 1),
                ..StartRun::of(run)
            }));
            ops.push(Op::Points(Points {
                subject: Subject::Run(run),
                step: 0,
                time: Timestamp(0),
                set: false,
                values: vec![(SeriesKey::plain(key), *loss)],
            }));
            ops.push(Op::SetStatus(SetStatus {
                run,
                status: if *loss < 0.0 {
                    RunStatus::Failed
                } else {
                    RunStatus::Completed
                },
                started: None,
                ended: Some(Timestamp(9)),
                error: None,
                exit_code: None,
            }));
        }
    }
    sandbox::record(sandbox, &ops);
}

#[test]
fn a_marked_baseline_is_called_so_and_not_by_its_id() {
    let sandbox = Sandbox::new();
    arms(&sandbox, [&[1.0, 1.1, 0.9], &[9.0, 9.1, 8.9]]);
    sandbox.say("baseline arms --variation near").ok();
    let said = sandbox.say("compare arms").ok();
    let first = "2 arms, each against near (the marked baseline)\n";
    assert!(said.starts_with(first), "{said}");
}

#[test]
fn archived_runs_of_an_experiment_are_left_out_and_counted() {
    let sandbox = Sandbox::new();
    arms(&sandbox, [&[1.0, 1.1, 0.9, 50.0], &[9.0, 9.1, 8.9, 9.05]]);
    sandbox.run(["archive", &"04".repeat(16)]).ok();
    let said = sandbox.say("compare arms");
    assert!(said.out.contains("near        3  1.00 "), "{said:?}");
    assert!(said.err.contains("1 archived run of"), "{said:?}");
    let said = sandbox.say("analyze arms");
    assert!(said.out.contains("1 archived run is left out"), "{said:?}");
    sandbox.run(["unarchive", &"04".repeat(16)]).ok();
    let said = sandbox.say("analyze arms");
    assert!(!said.out.contains("archived"), "{said:?}");
}

#[test]
fn a_winner_among_arms_is_named_only_when_it_can_be_told_apart() {
    let sandbox = Sandbox::new();
    arms(&sandbox, [&[1.0, 1.1, 0.9, 1.05], &[9.0, 9.1, 8.9, 9.05]]);
    let said = sandbox.say("compare arms").ok();
    // scipy.stats.t.ppf(0.975, 3) * numpy.std([1.0, 1.1, 0.9, 1.05], ddof=1) / 2 = 0.13588
    let expected = "\
2 arms, each against far (the first: no baseline is marked among them)

Params and configs that differ (0 of 0)
None was recorded.

Metrics
SUBJECT  RUNS                              loss    SD  MIN  MEDIAN  MAX
far         4                9.01 ± 0.14, n = 4  0.09  8.9   9.025  9.1
near        4  1.01 ± 0.14, n = 4 (-8.00, -89%)  0.09  0.9   1.025  1.1

Differences from far
METRIC  SUBJECT  DIFFERENCE              95% CI             EFFECT            TEST        p  p (Holm)
loss       near       -8.00  [-8.15, -7.85] (t)  g = -81.38, large  Welch's t test  < 0.001   < 0.001

Winner: near (best loss 1.01)
Told apart by t tests of all pairs, Holm over 1 test, alpha = 0.05; ± is half of the 95% CI by t.
Assumed from the names: less loss is better.
";
    assert_eq!(said, expected);
    let sandbox = Sandbox::new();
    arms(&sandbox, [&[1.0, 1.1, 0.9], &[1.02, 1.12, 0.88]]);
    let said = sandbox.say("compare arms").ok();
    assert!(
        said.contains("Best mean loss: near (1.00), not distinguishable from far."),
        "{said}"
    );
    let sandbox = Sandbox::new();
    arms(&sandbox, [&[1.0, 1.1, 0.9], &[2.0]]);
    let said = sandbox.say("compare arms").ok();
    assert!(
        said.contains("near (1.00), not tested against far (too few observations)."),
        "{said}"
    );
}

/// 1 in 5 against 5 in 5, 15 in 20 against 5 in 20, values, each with a direction and without: the p is that of
/// `analyze`.
#[test]
fn both_verbs_make_the_same_test() {
    let few: [&[f64]; 2] = [&[1.0, 0.0, 0.0, 0.0, 0.0], &[1.0; 5]];
    let (mut more, mut fewer) = ([0.0; 20], [0.0; 20]);
    more[..15].fill(1.0);
    fewer[..5].fill(1.0);
    let values: [&[f64]; 2] = [&[1.0, 1.1, 0.9, 1.05], &[1.2, 1.3, 1.1, 1.4]];
    for (losses, test) in [
        (few, "Fisher's exact test"),
        ([&more, &fewer], "chi-squared test"),
        (values, "Welch's t test"),
    ] {
        for key in ["loss", "message_count"] {
            let sandbox = Sandbox::new();
            arms_of(&sandbox, key, losses);
            let compared = sandbox.say("compare arms --json").json();
            let analysed = sandbox.say("analyze arms --json").json();
            let cells = compared["metrics"][0]["cells"].as_array().unwrap();
            let ours = cells.iter().map(|cell| &cell["contrast"]);
            let ours = ours.into_iter().find(|it| it.is_object()).unwrap();
            let theirs = &analysed["metrics"][0]["contrasts"][0];
            assert_eq!(ours["test"], test, "{key}");
            assert_eq!(theirs["test"], test, "{key}");
            let p = |found: &serde_json::Value| found["p"].as_f64().unwrap();
            assert!((p(ours) - p(theirs)).abs() < 1e-12, "{ours} {theirs}");
            assert_eq!(ours["interval"]["method"], theirs["interval"]["method"]);
            assert_eq!(compared["metrics"][0]["judged"], key == "loss");
        }
    }
    let sandbox = Sandbox::new();
    arms_of(&sandbox, "message_count", few);
    let said = sandbox.say("compare arms").ok();
    // Wilson's interval of 1 in 5, and no winner without a direction.
    assert!(said.contains("0.20 [0.04, 0.62], n = 5"), "{said}");
    assert!(said.contains("Fisher's exact test  0.048"), "{said}");
    assert!(!said.contains('±') && !said.contains("Winner"), "{said}");
}

#[test]
fn what_says_no_direction_is_shown_and_not_judged() {
    let sandbox = Sandbox::new();
    run(&sandbox, "a", "", "loss=1 message_count=492");
    run(&sandbox, "b", "", "loss=2 message_count=12");
    let said = sandbox.say("compare a b").ok();
    assert!(said.contains("Winner: a (best loss 1)\n"), "{said}");
    assert!(
        said.contains("Not judged: message_count (nothing says"),
        "{said}"
    );
    let json = sandbox.say("compare a b --json").json();
    assert_eq!(json["metrics"][1]["judged"], false);
    assert_eq!(json["metrics"][1]["best"], serde_json::json!([]));
    let said = sandbox.say("compare a b --metrics message_count").ok();
    assert!(
        said.contains("Winner: a (best message_count 492)"),
        "{said}"
    );
    assert!(
        said.contains("Assumed from the names: more message_count is better."),
        "{said}"
    );
}

/// A run that answered items: id, score, cluster; an empty one is none.
fn answered(sandbox: &Sandbox, name: &str, items: &[(String, f64, String)]) {
    use trialbook_model::id::RunUid;
    use trialbook_model::record::{Item, Op, Score};

    let id: RunUid = RunUid(sandbox.start(&format!("--name {name}")).parse().unwrap());
    let item = |(item, score, source): &(String, f64, String)| {
        let score = match *score {
            0.0 => Score::Bool(false),
            1.0 => Score::Bool(true),
            other => Score::Number(other),
        };
        let labels = match &source[..] {
            "" => serde_json::json!({}),
            source => serde_json::json!({"source": source}),
        };
        let item = serde_json::from_value::<Item>(serde_json::json!({
            "run": id, "id": item, "labels": labels, "scores": {},
        }));
        let mut item = item.unwrap();
        item.scores.insert("correct".to_owned(), score);
        Op::Item(Box::new(item))
    };
    let ops: Vec<Op> = items.iter().map(item).collect();
    sandbox::record(sandbox, &ops);
    sandbox.say(&format!("end --run {id}")).ok();
}

/// 40 items; the first is right in the first 24, the second also in 12 of the others and wrong in 3 of those.
fn two_models(sandbox: &Sandbox) {
    let of = |right: &dyn Fn(usize) -> bool| -> Vec<(String, f64, String)> {
        (0..40)
            .map(|at| {
                (
                    format!("q{at:02}"),
                    f64::from(u8::from(right(at))),
                    format!("s{}", at / 2),
                )
            })
            .collect()
    };
    let mut first = of(&|at| at < 24);
    first.push(("only-a".to_owned(), 1.0, "s0".to_owned()));
    answered(sandbox, "gpt-a", &first);
    answered(sandbox, "gpt-b", &of(&|at| (3..36).contains(&at)));
}

/// Figures of SciPy 1.17.1 and statsmodels 0.15.0:
///
/// ```python
/// from scipy.stats import binomtest
/// binomtest(3, 15).pvalue                                   # 0.03515625
/// import numpy as np, statsmodels.api as sm
/// a = np.array([i < 24 for i in range(40)], float); b = np.array([3 <= i < 36 for i in range(40)], float)
/// sm.OLS(b - a, np.ones(40)).fit(cov_type='cluster', cov_kwds={'groups': np.arange(40) // 2}, use_t=True).summary()
/// ```
#[test]
fn judged_answers_are_compared_item_by_item() {
    let sandbox = Sandbox::new();
    two_models(&sandbox);
    let json = sandbox.say("compare gpt-a gpt-b --items --json").json();
    assert_eq!(
        (&json["matched"], &json["unmatched"]),
        (&40.into(), &serde_json::json!([1, 0]))
    );
    assert_eq!(
        (&json["only_first"], &json["only_second"]),
        (&3.into(), &12.into())
    );
    assert_eq!((&json["both"], &json["neither"]), (&21.into(), &4.into()));
    assert!(
        (json["p"].as_f64().unwrap() - 0.035_156_25).abs() < 1e-12,
        "{json}"
    );
    assert!((json["difference"].as_f64().unwrap() - 0.225).abs() < 1e-12);
    assert_eq!(json["flipped"].as_array().unwrap().len(), 15);
    assert_eq!(
        json["flipped"][0],
        serde_json::json!({"item": "q00", "gained": false})
    );
    let said = sandbox.say("compare gpt-a gpt-b --items").ok();
    for expected in [
        "gpt-b against gpt-a: 40 items matched by id, by the score `correct`\n",
        "gpt-b differs from gpt-a: +22 pp, 95% CI [",
        "McNemar's exact test on 15 discordant items (12 against 3), p = 0.035, mid-p = 0.021.",
        "\nq00   right  wrong\n",
        "items that only one side answered are left out (gpt-a: 1, gpt-b: 0)",
        "\nSIDE   ANSWERS  ERRORS  UNSCORED  MATCHED  RIGHT               95% CI\n",
        "\ngpt-a       41       0         0       40    60%  [45%, 74%] (Wilson)\n",
    ] {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
    let clustered = sandbox
        .say("compare gpt-a gpt-b --items --cluster source --json")
        .json();
    let clusters = &clustered["clusters"];
    assert_eq!((&clusters["n"], &clusters["df"]), (&20.into(), &19.into()));
    // The default correction of statsmodels is CR1 here: G/(G-1) (n-1)/(n-1).
    assert!(
        (clusters["se"].as_f64().unwrap() - 0.128_118_98).abs() < 1e-6,
        "{clusters}"
    );
    let said = sandbox
        .say("compare gpt-a gpt-b --items --cluster source")
        .ok();
    assert!(
        said.contains("over 20 clusters of source (CR1, 19 degrees of freedom"),
        "{said}"
    );
    assert!(
        said.contains("warning: 20 clusters: with fewer than 40"),
        "{said}"
    );
}

/// The clusters are those of `judged_answers_are_compared_item_by_item`, and so is the standard error.
#[test]
fn labels_make_the_same_clusters_whichever_side_has_them() {
    let sandbox = Sandbox::new();
    let of = |right: std::ops::Range<usize>, labelled: bool| -> Vec<(String, f64, String)> {
        let item = |at: usize| {
            let source = if labelled {
                format!("s{}", at / 2)
            } else {
                String::new()
            };
            (
                format!("q{at:02}"),
                f64::from(u8::from(right.contains(&at))),
                source,
            )
        };
        (0..40).map(item).collect()
    };
    answered(&sandbox, "ma", &of(0..24, false));
    answered(&sandbox, "mb", &of(3..36, true));
    let there = sandbox
        .say("compare ma mb --items --cluster source --json")
        .json();
    let back = sandbox
        .say("compare mb ma --items --cluster source --json")
        .json();
    for found in [&there, &back] {
        assert_eq!(found["clusters"]["n"], 20, "{found}");
        assert!((found["clusters"]["se"].as_f64().unwrap() - 0.128_118_98).abs() < 1e-6);
        assert_eq!(found["decision"]["by"], "clusters");
        assert_eq!(found["decision"]["verdict"], "no_evidence");
    }
    assert_eq!(there["clusters"]["p"], back["clusters"]["p"]);
    let said = sandbox
        .say("compare ma mb --items --cluster sourse")
        .failed(2);
    assert!(said.contains("no item has the label `sourse`"), "{said}");
    assert!(said.contains("their labels are `source`"), "{said}");
    let mut moved = of(0..24, true);
    moved[0].2 = "elsewhere".to_owned();
    answered(&sandbox, "mc", &moved);
    let said = sandbox.say("compare mc mb --items --cluster source").ok();
    assert!(
        said.contains("1 item with several values of the label"),
        "{said}"
    );
}

#[test]
fn what_is_decided_is_decided_at_the_alpha_that_was_asked_for() {
    let sandbox = Sandbox::new();
    two_models(&sandbox);
    let json = sandbox.say("compare gpt-a gpt-b --items --json").json();
    let decision = serde_json::json!({"verdict": "differs", "by": "items"});
    assert_eq!(
        (&json["decision"], &json["alpha"]),
        (&decision, &0.05.into())
    );
    let said = sandbox.say("compare gpt-a gpt-b --items --alpha 0.03").ok();
    assert!(said.contains("no evidence of a difference"), "{said}");
    sandbox
        .say("compare gpt-a gpt-b --items --alpha 2")
        .failed(2);
}

/// Of two items the second one answered one twice, rightly once: differences of 0 and 0.5, mean 0.25. Student's t
/// with one degree of freedom is 0.25 ± 12.7 · 0.25, which no difference of shares is.
#[test]
fn an_item_that_was_logged_twice_counts_once_and_shares_stay_shares() {
    let sandbox = Sandbox::new();
    let of = |items: &[(&str, f64)]| -> Vec<(String, f64, String)> {
        let items = items.iter();
        items
            .map(|(id, score)| ((*id).to_owned(), *score, String::new()))
            .collect()
    };
    answered(&sandbox, "once", &of(&[("q0", 1.0), ("q1", 0.0)]));
    answered(
        &sandbox,
        "twice",
        &of(&[("q0", 1.0), ("q1", 0.0), ("q1", 1.0)]),
    );
    let json = sandbox.say("compare once twice --items --json").json();
    assert_eq!(
        (&json["matched"], &json["unmatched"]),
        (&2.into(), &serde_json::json!([0, 0]))
    );
    assert_eq!(
        (&json["averaged"], &json["scale"]),
        (&true.into(), &"right_wrong".into())
    );
    assert_eq!(json["difference"], 0.25);
    assert_eq!(
        json["interval"],
        serde_json::json!(
            {"low": -1.0, "high": 1.0, "method": "t, within -1 and 1"}
        )
    );
    assert_eq!(json["sides"][1]["interval"]["high"], 1.0, "{json}");
    let said = sandbox.say("compare once twice --items").ok();
    let unequal = "Variance of twice between and within items: cannot be told apart, the items were not all answered equally often.";
    assert!(said.contains(unequal), "{said}");
    assert!(
        said.contains("(+25 pp, 95% CI [-100, +100] (t, within -1 and 1)); paired t(1)"),
        "{said}"
    );
}

#[test]
fn items_are_those_of_two_that_have_some() {
    let sandbox = Sandbox::new();
    two_models(&sandbox);
    sandbox.say("compare gpt-a gpt-b --items --score nope").ok();
    let said = sandbox.say("compare gpt-a --items").failed(2);
    assert!(
        said.contains("--items compares two, and 1 are named"),
        "{said}"
    );
    let empty = sandbox.start("--name empty");
    let said = sandbox
        .say(&format!("compare gpt-a {empty} --items"))
        .failed(2);
    assert!(said.contains("has no judged items"), "{said}");
}

#[test]
fn repeats_are_averaged_and_scores_are_compared_by_pairs() {
    let sandbox = Sandbox::new();
    let scores = |name: &str, of: &dyn Fn(usize) -> f64| {
        let items: Vec<(String, f64, String)> = (0..6)
            .flat_map(|at| [at, at])
            .enumerate()
            .map(|(at, item)| {
                let score = of(item) + if at % 2 == 0 { 0.1 } else { -0.1 };
                (format!("q{item}"), score, "s".to_owned())
            })
            .collect();
        answered(&sandbox, name, &items);
    };
    scores("a", &|at| 2.0 + at as f64);
    scores("b", &|at| 2.5 + at as f64 * 1.1);
    let json = sandbox.say("compare a b --items --json").json();
    assert_eq!(
        (&json["kind"], &json["matched"]),
        (&"scores".into(), &6.into())
    );
    assert_eq!(json["averaged"], true);
    // scipy.stats.ttest_rel([2.5 + 1.1*i for i in range(6)], [2. + i for i in range(6)])
    let t = json["statistic"].as_f64().unwrap();
    assert!((t - 9.819_805_060_619_66).abs() < 1e-6, "{json}");
    assert_eq!(json["df"], 5.0);
}
