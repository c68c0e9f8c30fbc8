//! "Is the difference real?": analyses and reports, with figures that another program computed.

#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

mod sandbox;

use std::collections::BTreeSet;
use std::fs;

use sandbox::Sandbox;
use serde_json::{Value, json};
use trialbook_model::id::{ExperimentUid, RunUid, Uid};
use trialbook_model::record::{
    CreateExperiment, Op, Points, SeriesKey, SetStatus, StartRun, Subject,
};
use trialbook_model::status::RunStatus;
use trialbook_model::time::Timestamp;

const CUE: [f64; 10] = [
    412.0, 398.0, 405.0, 421.0, 388.0, 402.0, 415.0, 409.0, 395.0, 407.0,
];
const EVENT: [f64; 10] = [
    396.0, 402.0, 391.0, 410.0, 385.0, 399.0, 404.0, 393.0, 388.0, 401.0,
];
const POLLING: [f64; 10] = [
    455.0, 470.0, 448.0, 462.0, 441.0, 480.0, 459.0, 466.0, 452.0, 473.0,
];

const CONFIG: &str = "
experiment: {id: EXP-001, name: coordination, description: Three ways., author: researcher}
task: {command: [\"true\"]}
variations: [{name: cue}, {name: event}, {name: polling}]
trials: 10
metrics: [{name: time_ms, goal: min}]
success_criteria: [\"time_ms < 450\"]
random_seed: 1
";

struct Fixture {
    experiment: ExperimentUid,
    ops: Vec<Op>,
    runs: u8,
}

impl Fixture {
    fn new(config: &str) -> Self {
        let experiment = ExperimentUid(Uid([200; 16]));
        let parsed = trialbook_model::config::parse(config, "t.yaml").unwrap();
        let create = Op::CreateExperiment(CreateExperiment {
            experiment,
            project: "default".to_owned(),
            name: "coordination".to_owned(),
            handle: Some("EXP-001".to_owned()),
            document: parsed.config.document(),
            config_hash: None,
        });
        Self {
            experiment,
            ops: vec![create],
            runs: 0,
        }
    }

    fn run(&mut self, variation: &str, trial: usize, status: RunStatus, metrics: &[(&str, f64)]) {
        self.runs += 1;
        let run = RunUid(Uid([self.runs; 16]));
        self.ops.push(Op::StartRun(StartRun {
            experiment: self.experiment,
            variation: Some(variation.to_owned()),
            trial: Some(trial as u64),
            attempt: Some(1),
            ..StartRun::of(run)
        }));
        for (key, value) in metrics {
            self.ops.push(Op::Points(Points {
                subject: Subject::Run(run),
                step: 0,
                time: Timestamp(0),
                set: false,
                values: vec![(SeriesKey::plain(*key), *value)],
            }));
        }
        self.ops.push(Op::SetStatus(SetStatus {
            run,
            status,
            started: None,
            ended: Some(Timestamp(9)),
            error: None,
            exit_code: None,
        }));
    }

    fn arm(&mut self, variation: &str, key: &str, values: &[f64]) {
        for (at, value) in values.iter().enumerate() {
            self.run(variation, at + 1, RunStatus::Completed, &[(key, *value)]);
        }
    }

    /// The three ways to coordinate.
    fn coordination() -> Self {
        let mut fixture = Self::new(CONFIG);
        fixture.arm("cue", "time_ms", &CUE);
        fixture.arm("event", "time_ms", &EVENT);
        fixture.arm("polling", "time_ms", &POLLING);
        fixture
    }

    fn recorded(&self) -> Sandbox {
        let sandbox = Sandbox::new();
        sandbox::record(&sandbox, &self.ops);
        sandbox
    }
}

/// What SciPy says of an arm against the first.
struct Expected {
    difference: f64,
    interval: [f64; 2],
    t: f64,
    df: f64,
    p: f64,
    holm: f64,
    g: f64,
}

const EXPECTED: [Expected; 2] = [
    Expected {
        difference: -8.3,
        interval: [-16.655_880_226_691_792, 0.055_880_226_691_767_73],
        t: -2.095_101_746_320_126,
        df: 17.064_619_961_521_466,
        p: 0.051_385_597_838_702_37,
        holm: 0.051_385_597_838_702_37,
        g: -0.897_274_466_520_463_7,
    },
    Expected {
        difference: 55.4,
        interval: [45.050_166_114_441_225, 65.749_833_885_558_84],
        t: 11.277_195_490_082_944,
        df: 17.324_761_530_326_807,
        p: 2.095_429_643_058_322e-9,
        holm: 4.190_859_286_116_644e-9,
        g: 4.829_712_726_355_123,
    },
];

#[track_caller]
fn near(value: &Value, expected: f64) {
    let value = value.as_f64().unwrap_or_else(|| panic!("{value}"));
    let error = (value - expected).abs() / expected.abs();
    assert!(error < 1e-6, "{value} is not {expected}");
}

/// A reviewer asks how sure this is: n, interval, effect, test and correction, each against figures of
/// SciPy 1.17.1 and statsmodels 0.15.0:
///
/// ```python
/// import numpy as np, scipy.stats as st
/// from statsmodels.stats.multitest import multipletests
/// from statsmodels.stats.power import TTestIndPower
/// from statsmodels.stats.proportion import proportion_confint
/// from math import lgamma, exp, log
/// a, b, c = CUE, EVENT, POLLING
/// st.t.interval(.95, 9, np.mean(a), st.sem(a))
/// [st.ttest_ind(x, a, equal_var=False) for x in (b, c)]
/// [st.ttest_ind(x, a, equal_var=False).confidence_interval() for x in (b, c)]
/// multipletests([st.ttest_ind(x, a, equal_var=False).pvalue for x in (b, c)], method='holm')[1]
/// d = lambda x: (np.mean(x) - np.mean(a)) / np.sqrt((np.var(x, ddof=1) + np.var(a, ddof=1)) / 2)
/// J = exp(lgamma(9) - lgamma(8.5) - log(9) / 2)
/// [J * d(x) for x in (b, c)]
/// TTestIndPower().solve_power(d(b), power=.8, alpha=.05)
/// proportion_confint(10, 10, method='wilson')
/// ```
/// A-20, A-22, S-44.
#[test]
fn a_reviewer_who_asks_how_sure_gets_every_figure() {
    let sandbox = Fixture::coordination().recorded();
    let json = sandbox.say("analyze EXP-001 --json").json();
    let time = &json["metrics"][0];
    assert_eq!(time["arms"][0]["n"], 10);
    let described = &time["arms"][0]["described"];
    near(&described["mean"], 405.2);
    near(&described["interval"]["low"], 398.160_203_093_641_26);
    near(&described["interval"]["high"], 412.239_796_906_358_7);
    assert_eq!(described["interval"]["method"], "t");
    for (at, expected) in EXPECTED.iter().enumerate() {
        let contrast = &time["contrasts"][at];
        assert_eq!(contrast["n"], json!([10, 10]));
        assert_eq!(contrast["test"], "Welch's t test");
        near(&contrast["difference"], expected.difference);
        near(&contrast["interval"]["low"], expected.interval[0]);
        near(&contrast["interval"]["high"], expected.interval[1]);
        near(&contrast["statistic"], expected.t);
        near(&contrast["df"], expected.df);
        near(&contrast["p"], expected.p);
        near(&contrast["p_adjusted"], expected.holm);
        near(&contrast["effect"]["estimate"], expected.g);
        assert_eq!(contrast["effect"]["name"], "hedges_g");
    }
    assert_eq!(time["contrasts"][0]["power"]["needed"], 19);
    assert_eq!(json["family"]["size"], 2);
    assert_eq!(json["family"]["correction"], "holm");
    near(
        &json["arms"][0]["success"]["interval"]["low"],
        0.722_467_200_137_110_6,
    );
    let said = sandbox.say("analyze EXP-001").ok();
    assert_eq!(said, include_str!("expected/analyze.txt"), "{said}");
}

/// The same trials by other tests:
///
/// ```python
/// st.ttest_rel(b, a), st.ttest_rel(b, a).confidence_interval(), np.corrcoef(a, b)[0, 1]
/// st.mannwhitneyu(b, a, method='exact')   # with ties: the conditional exact p is ours
/// st.wilcoxon(np.array(b) - np.array(a))
/// ```
#[test]
fn other_tests_are_made_when_they_are_asked_for() {
    let sandbox = Fixture::coordination().recorded();
    let of = |words: &str| {
        let json = sandbox
            .say(&format!("analyze EXP-001 {words} --json"))
            .json();
        json["metrics"][0]["contrasts"][0].clone()
    };
    let paired = of("--test paired --pair-by trial");
    assert_eq!(
        paired["pairs"],
        json!({"by": "trial", "n": 10, "unmatched": 0})
    );
    near(&paired["statistic"], -4.038_782_002_428_613);
    near(&paired["p"], 0.002_933_966_385_130_191_3);
    near(&paired["interval"]["low"], -12.948_902_674_106_876);
    near(&paired["correlation"], 0.751_797_537_229_514);
    let wilcoxon = of("--test wilcoxon --pair-by trial");
    assert_eq!(wilcoxon["estimand"], "shift of the pairs");
    assert_eq!(wilcoxon["interval"]["method"], "Hodges-Lehmann, exact");
    near(&wilcoxon["p"], 0.009_765_625);
    let ranks = of("--test mann-whitney");
    near(&ranks["statistic"], 25.0);
    assert!(
        (ranks["p"].as_f64().unwrap() - 0.063).abs() < 0.005,
        "{ranks}"
    );
    let student = of("--equal-var");
    near(&student["df"], 18.0);
    let said = sandbox.say("analyze EXP-001 --test paired").failed(2);
    assert!(
        said.contains("nothing makes pairs") && said.contains("--pair-by KEY"),
        "{said}"
    );
    let said = sandbox
        .say("analyze EXP-001 --test welch --pair-by trial")
        .failed(2);
    assert!(said.contains("`welch` takes no pairs"), "{said}");
}

#[test]
fn asked_again_it_is_the_same_and_on_more_trials_another_look() {
    let mut fixture = Fixture::coordination();
    let sandbox = fixture.recorded();
    let first = sandbox.say("analyze EXP-001 --json").ok();
    assert_eq!(sandbox.say("analyze EXP-001 --json").ok(), first);
    let other = sandbox.say("analyze EXP-001 --test student --json").json();
    assert_eq!(other["look"], 1, "another question has looks of its own");
    let known = fixture.ops.len();
    fixture.run("event", 11, RunStatus::Completed, &[("time_ms", 380.0)]);
    sandbox::record(&sandbox, &fixture.ops[known..]);
    let more = sandbox.say("analyze EXP-001").ok();
    assert!(
        more.contains("look 2 of this question: it was answered before, on other data; the fixed-n p is optimistic"),
        "{more}"
    );
    let again = sandbox.say("analyze EXP-001 --json").json();
    assert_eq!(again["look"], 2);
    let report = sandbox.say("report EXP-001 -o -").ok();
    assert!(
        report.contains("> **Warning:** look 2 of this question"),
        "{report}"
    );
    let kept = sandbox.say("show EXP-001 --json").json();
    assert_eq!(kept["runs"], 31);
}

#[test]
fn the_order_in_which_runs_were_recorded_changes_no_byte() {
    let fixture = Fixture::coordination();
    let forward = fixture.recorded().say("analyze EXP-001 --json").ok();
    let mut backward = Fixture::coordination();
    let create = backward.ops.remove(0);
    // Three operations a run.
    let mut runs: Vec<Vec<Op>> = backward.ops.chunks(3).map(<[Op]>::to_vec).collect();
    runs.reverse();
    backward.ops = std::iter::once(create)
        .chain(runs.into_iter().flatten())
        .collect();
    assert_eq!(
        backward.recorded().say("analyze EXP-001 --json").ok(),
        forward
    );
}

#[test]
fn what_cannot_be_tested_says_why() {
    let mut fixture = Fixture::new(
        "
experiment: {id: EXP-001, name: coordination}
task: {command: [\"true\"]}
variations: [{name: many}, {name: one}, {name: same}, {name: odd}, {name: none}]
trials: 3
metrics: [loss]
",
    );
    fixture.arm("many", "loss", &[1.0, 1.0, 1.0]);
    fixture.arm("one", "loss", &[2.0]);
    fixture.arm("same", "loss", &[3.0, 3.0]);
    fixture.arm("odd", "loss", &[f64::NAN, f64::INFINITY, 4.0]);
    fixture.run("none", 1, RunStatus::Completed, &[("other", 1.0)]);
    fixture.run("none", 2, RunStatus::Failed, &[("loss", 5.0)]);
    let sandbox = fixture.recorded();
    let json = sandbox.say("analyze EXP-001 --json").json();
    let contrasts = json["metrics"][0]["contrasts"].as_array().unwrap();
    let reasons: Vec<&str> = contrasts
        .iter()
        .map(|it| it["cannot_test"].as_str().unwrap())
        .collect();
    let expected = [
        "too_few_observations",
        "zero_variance",
        "too_few_observations",
        "too_few_observations",
    ];
    assert_eq!(reasons, expected);
    assert_eq!(json["metrics"][0]["arms"][3]["not_finite"], 2);
    assert_eq!(json["metrics"][0]["arms"][4]["n"], 0);
    assert_eq!(json["family"]["size"], 0);
    assert_eq!(json["family"]["undefined"], 4);
    let said = sandbox.say("analyze EXP-001").ok();
    for expected in [
        "loss: cannot test one against many: there are too few values (the difference of the means is +1, A12 = 1.00).",
        "loss: cannot test same against many: the values do not vary (the difference of the means is +2, A12 = 1.00).",
        "loss: cannot test none against many: there are too few values.",
        "loss is constant within many and same",
        "values of loss that are not finite are left out (odd: 2)",
        "completed trials without loss are left out (none: 1)",
        "none: 1 failed trial is left out",
        "4 tests cannot be made and are in no family.",
    ] {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
    assert!(!said.contains("NaN"), "{said}");
    let said = sandbox.say("analyze EXP-001 --metric los").failed(3);
    assert!(said.contains("did you mean `loss`?"), "{said}");
    sandbox.say("analyze EXP-001 --alpha 1").failed(2);
    sandbox.say("analyze EXP-001 --baseline nobody").failed(2);
    sandbox.say("analyze EXP-001 --by nothing").failed(2);
    sandbox.say("analyze EXP-001 --by metrics.loss").failed(2);
}

#[test]
fn a_metric_of_0_and_1_is_told_as_a_rate() {
    let config = CONFIG
        .replace("{name: time_ms, goal: min}", "{name: solved, goal: max}")
        .replace("time_ms < 450", "solved > 0.5")
        .replace(", {name: polling}", "");
    let mut fixture = Fixture::new(&config);
    fixture.arm("cue", "solved", &[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    fixture.arm("event", "solved", &[1.0; 8]);
    let sandbox = fixture.recorded();
    let said = sandbox.say("analyze EXP-001 --alpha 0.01").ok();
    for expected in [
        "solved (rate)",
        "99% CI",
        "h = 2.42",
        "Fisher's exact test, p = 0.001",
        "solved is the same in all trials (event: 8 of 8, 38%)",
        "the only p-value is the whole family",
    ] {
        assert!(said.contains(expected), "{expected}\n{said}");
    }
    let said = sandbox.say("analyze EXP-001 --alpha 2").failed(2);
    assert!(said.contains("`--alpha 0.05`"), "{said}");
    let said = sandbox.say("analyze EXP-001 --test welch").ok();
    assert!(
        said.contains("this is question 2 about this experiment"),
        "{said}"
    );
}

/// Fisher's test of three trials each gives no p below 0.1, and of 1 in 5 against 5 in 5 just one below 0.05.
#[test]
fn the_trials_that_are_needed_are_those_of_the_test() {
    let config = CONFIG
        .replace("{name: time_ms, goal: min}", "{name: solved, goal: max}")
        .replace("time_ms < 450", "solved > 0.5")
        .replace(", {name: polling}", "");
    let told = |values: [&[f64]; 2], asked: &str| {
        let mut fixture = Fixture::new(&config);
        fixture.arm("cue", "solved", values[0]);
        fixture.arm("event", "solved", values[1]);
        fixture.recorded().say(asked).ok()
    };
    let said = told([&[0.0; 3], &[1.0; 3]], "analyze EXP-001");
    let expected = "About 1 more trial in each arm (4 per arm) would be needed";
    assert!(
        said.contains("p = 0.100") && said.contains(expected) && !said.contains("which there are"),
        "{said}"
    );
    let five: [&[f64]; 2] = [&[1.0, 0.0, 0.0, 0.0, 0.0], &[1.0; 5]];
    let said = told(five, "analyze EXP-001");
    assert!(
        said.contains("differs from") && said.contains("p = 0.048"),
        "{said}"
    );
    let said = told(five, "analyze EXP-001 --alpha 0.04");
    assert!(
        said.contains("more trials in each arm") && !said.contains("which there are"),
        "{said}"
    );
}

#[test]
fn a_primary_metric_has_a_family_of_its_own() {
    let config = CONFIG.replace(
        "metrics: [{name: time_ms, goal: min}]",
        "metrics: [{name: time_ms, goal: min, primary: true}, other]",
    );
    let mut fixture = Fixture::new(&config);
    for (name, values) in [("cue", &CUE), ("event", &EVENT), ("polling", &POLLING)] {
        for (at, value) in values.iter().enumerate() {
            let metrics = [("time_ms", *value), ("other", -value)];
            fixture.run(name, at + 1, RunStatus::Completed, &metrics);
        }
    }
    let json = fixture.recorded().say("analyze EXP-001 --json").json();
    assert_eq!(json["family"]["size"], 2);
    let of = json!({"kind": "primary", "metric": "time_ms", "others": 2});
    assert_eq!(json["family"]["of"], of);
    near(
        &json["metrics"][0]["contrasts"][1]["p_adjusted"],
        EXPECTED[1].holm,
    );
}

#[test]
fn arms_of_runs_that_nobody_planned() {
    let sandbox = Sandbox::new();
    let losses = [
        ("0.1", "0.50"),
        ("0.1", "0.52"),
        ("0.10", "0.51"),
        ("0.01", "0.30"),
        ("0.01", "0.33"),
    ];
    for (at, (lr, loss)) in losses.iter().enumerate() {
        let words = format!("--experiment sweep --param lr={lr} --param seed={at}");
        let id = sandbox.start(&words);
        sandbox
            .say(&format!("log metric loss={loss} --run {id}"))
            .ok();
        sandbox.say(&format!("end --run {id}")).ok();
    }
    let json = sandbox.say("analyze sweep --json").json();
    assert_eq!(json["division"], json!({"kind": "only_param", "key": "lr"}));
    let arms = &json["arms"];
    assert_eq!(
        (&arms[0]["name"], &arms[1]["name"]),
        (&"lr=0.01".into(), &"lr=0.1".into())
    );
    assert_eq!(arms[1]["completed"], 3);
    let seeds = sandbox.say("analyze sweep --by params.seed --json").json();
    assert_eq!(seeds["arms"].as_array().unwrap().len(), 5);
    let both = sandbox.say("analyze sweep --by lr,status").ok();
    assert!(
        both.starts_with("sweep: 2 arms by lr, status, 5 trials"),
        "{both}"
    );
    let best = sandbox.say("analyze sweep --agg best").ok();
    assert!(
        best.contains("the best value of each series counts"),
        "{best}"
    );
}

/// A-23, M-18, T-24.
#[test]
fn a_report_is_written_and_replaces_only_reports() {
    let sandbox = Fixture::coordination().recorded();
    assert_eq!(sandbox.say("report EXP-001").ok(), "Wrote report.md\n");
    let file = sandbox.work().join("report.md");
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(text, include_str!("expected/report.md"), "{text}");
    for word in [
        "proved",
        "no difference",
        "trend",
        "almost",
        "significan",
        "NaN",
        "p = 0.000",
    ] {
        assert!(!text.contains(word), "{word}: {text}");
    }
    assert_eq!(sandbox.say("report EXP-001").ok(), "Wrote report.md\n");
    fs::write(&file, "my own words").unwrap();
    for words in ["report EXP-001", "report EXP-001 -o report.md"] {
        let said = sandbox.say(words).failed(6);
        assert!(said.contains("is there and is no report"), "{said}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "my own words");
    sandbox.say("report EXP-001 -o report.md --force").ok();
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    sandbox.say("report EXP-001 --format html").ok();
    let html = fs::read_to_string(sandbox.work().join("report.html")).unwrap();
    assert!(html.starts_with("<!doctype html>\n") && html.ends_with("</html>\n"));
    assert!(
        html.contains("<td>polling</td>") && !html.contains("<script") && !html.contains("http")
    );
    sandbox.say("report EXP-001 --format html").ok();
    sandbox.say("report EXP-001 --format json").ok();
    let json = fs::read_to_string(sandbox.work().join("experiment_report.json")).unwrap();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["experiment_name"], "coordination");
    assert_eq!(json["runs"].as_object().unwrap().len(), 30);
    let run = &json["runs"]["01010101010101010101010101010101"];
    assert_eq!(run["metrics"]["time_ms"], 412.0);
    assert_eq!(json["metrics"]["time_ms"][0]["described"]["mean"], 405.2);
    sandbox.say("report nobody").failed(3);
}

#[test]
fn names_that_look_like_markup_stay_names() {
    let config = CONFIG.replace("name: event", "name: \"<b>|*x*\"");
    let mut fixture = Fixture::new(&config);
    fixture.arm("cue", "time_ms", &CUE);
    fixture.arm("<b>|*x*", "time_ms", &EVENT);
    let sandbox = fixture.recorded();
    let html = sandbox.say("report EXP-001 --format html -o -").ok();
    assert!(html.contains("<td>&lt;b&gt;|*x*</td>"), "{html}");
    let text = sandbox.say("report EXP-001 -o -").ok();
    assert!(text.contains("| &lt;b>\\|\\*x\\* | 10 |"), "{text}");
    for words in ["compare EXP-001", "analyze EXP-001"] {
        let mut command = sandbox.command();
        command.env("COLUMNS", "40").args(words.split(' '));
        sandbox::ended(&mut command).ok();
    }
}

/// Where a document has values: `metrics[].contrasts[].p`. What stands in lists of lists has no name of its own.
fn paths(value: &Value, prefix: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let path = if prefix.is_empty() {
                    key.clone()
                } else {
                    format!("{prefix}.{key}")
                };
                found.insert(path.clone());
                paths(value, &path, found);
            }
        }
        Value::Array(items) => {
            for item in items.iter().filter(|it| it.is_object()) {
                paths(item, &format!("{prefix}[]"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Analyses in which every field is there at least once.
fn all_kinds() -> Vec<Value> {
    let mut found = Vec::new();
    let mut fixture = Fixture::new(&CONFIG.replace(
        "metrics: [{name: time_ms, goal: min}]",
        "metrics: [{name: time_ms, goal: min, primary: true, unit: ms}, cost, solved, constant, absent]",
    ));
    for (name, times, scale) in [
        ("cue", &CUE, 1.0),
        ("event", &EVENT, 1.5),
        ("polling", &POLLING, 9.0),
    ] {
        for (at, time) in times.iter().enumerate() {
            let cost = scale * (at as f64 / 2.0).exp();
            let solved = f64::from(u8::from(at < 4));
            let metrics = [
                ("time_ms", *time),
                ("cost", cost),
                ("solved", solved),
                ("constant", scale),
            ];
            let status = if name == "event" && at < 2 {
                RunStatus::Failed
            } else {
                RunStatus::Completed
            };
            fixture.run(name, at + 1, status, &metrics);
        }
    }
    let sandbox = fixture.recorded();
    for words in [
        "--agg last",
        "--by variation --test mann-whitney",
        "--test paired --pair-by trial",
        "--test wilcoxon --pair-by trial --metric time_ms",
    ] {
        let said = sandbox.say(&format!("analyze EXP-001 {words} --json"));
        found.push(said.json());
    }
    let mut fixture = Fixture::coordination();
    for at in 0..30 {
        let name = ["cue", "event", "polling"][at % 3];
        fixture.run(name, 11 + at / 3, RunStatus::Failed, &[]);
    }
    let sandbox = fixture.recorded();
    found.push(sandbox.say("analyze EXP-001 --json").json());
    let sandbox = Sandbox::new();
    for (lr, loss) in [
        ("0.1", "0.5"),
        ("0.1", "0.6"),
        ("0.2", "0.3"),
        ("0.2", "0.4"),
    ] {
        let id = sandbox.start(&format!("--experiment sweep --param lr={lr}"));
        sandbox
            .say(&format!("log metric loss={loss} --run {id}"))
            .ok();
        sandbox.say(&format!("end --run {id}")).ok();
    }
    found.push(sandbox.say("analyze sweep --json").json());
    found
}

/// `docs/format/analysis.md` names every field that is written, and no other.
#[test]
fn the_format_describes_what_is_written() {
    let mut written = BTreeSet::new();
    let mut warned = BTreeSet::new();
    for mut analysis in all_kinds() {
        assert_eq!(analysis["schema"], 2);
        for warning in analysis["warnings"].take().as_array().unwrap() {
            let mut fields: Vec<&str> = warning
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            fields.retain(|field| *field != "code");
            fields.sort_unstable();
            warned.insert((
                warning["code"].as_str().unwrap().to_owned(),
                fields.join(", "),
            ));
        }
        paths(&analysis, "", &mut written);
    }
    let document = include_str!("../../../docs/format/analysis.md");
    let (fields, warnings) = document.split_once("## Warnings").unwrap();
    let rows = |text: &str| -> Vec<(String, String)> {
        let lines = text.lines().filter(|line| line.starts_with("| `"));
        let cells = |line: &str| {
            let mut cells = line.trim_matches('|').split('|').map(str::trim);
            let first = cells.next().unwrap().trim_matches('`').to_owned();
            (first, cells.next().unwrap().replace('`', ""))
        };
        lines.map(cells).collect()
    };
    let documented: BTreeSet<String> = rows(fields).into_iter().map(|(field, _)| field).collect();
    let missing: Vec<_> = written.difference(&documented).collect();
    let gone: Vec<_> = documented.difference(&written).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "not described: {missing:#?}\nnot written: {gone:#?}"
    );
    let documented: BTreeSet<(String, String)> = rows(warnings).into_iter().collect();
    let missing: Vec<_> = warned.difference(&documented).collect();
    assert!(missing.is_empty(), "not described: {missing:#?}");
}
