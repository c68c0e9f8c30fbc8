use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::record::{Goal, Param, ParamKind};

const COORDINATION: &str = include_str!("../../tests/fixtures/config/coordination.yaml");
const FLAT: &str = include_str!("../../tests/fixtures/config/flat.yaml");
const MATRIX: &str = include_str!("../../tests/fixtures/config/matrix.yaml");
const BROKEN: &str = include_str!("../../tests/fixtures/config/broken.yaml");
const STUDY: &str = include_str!("../../tests/fixtures/config/study.yaml");
const EXAMPLE: &str = include_str!("../../../../examples/coordination/experiment.yaml");

fn good(text: &str) -> Parsed {
    parse(text, "c.yaml").unwrap_or_else(|errors| panic!("{errors}"))
}

/// All errors of a text, one line each, hints left out.
fn errors(text: &str) -> Vec<String> {
    let errors = parse(text, "c.yaml").expect_err("the config is wrong");
    errors.errors.iter().map(ToString::to_string).collect()
}

fn hints(text: &str) -> Vec<String> {
    let errors = parse(text, "c.yaml").expect_err("the config is wrong");
    errors.errors.iter().filter_map(FileError::hint).collect()
}

fn with(rest: &str) -> String {
    format!("experiment: {{name: x}}\ntask: {{command: [run]}}\n{rest}")
}

#[test]
fn the_form_of_variations_times_trials_is_read() {
    let Parsed { config, warnings } = good(COORDINATION);
    assert_eq!(warnings, []);
    assert_eq!(config.experiment.id.as_deref(), Some("EXP-001"));
    assert_eq!(config.experiment.name, "Coordination Model Comparison");
    assert_eq!(config.experiment.created.as_deref(), Some("2026-01-21"));
    assert_eq!(config.task.kind.as_deref(), Some("task_s1_map_reduce"));
    assert_eq!((config.trials, config.runs()), (10, 30));
    let names: Vec<_> = config.variations.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(names, ["Cue-Based Coordination", "Event-Driven", "Polling"]);
    let params = &config.variations[2].params;
    assert_eq!(
        params[0],
        ("coordination_model".to_owned(), Param::text("polling"))
    );
    assert_eq!(params[3].1.number(), Some(5.0));
    assert_eq!(config.metrics.len(), 5);
    assert_eq!(
        config.success_criteria[1].to_string(),
        "completion_time_ms < 60000"
    );
    assert_eq!(
        config.environment[0],
        ("python_version".to_owned(), Param::text("3.13"))
    );
    assert_eq!(
        (config.random_seed, config.seed_policy),
        (None, SeedPolicy::Derived)
    );
    assert_eq!(good(EXAMPLE).config.random_seed, Some(42));
}

#[test]
fn the_flat_form_keeps_texts_as_written() {
    let config = good(FLAT).config;
    let number = |text: &str| Param {
        text: text.to_owned(),
        kind: ParamKind::Number,
    };
    let expected = [
        ("agents", number("5")),
        ("version", number("3.10")),
        ("country", Param::text("no")),
    ];
    let expected = expected.map(|(name, param)| (name.to_owned(), param));
    assert_eq!(config.variations[0].params, expected);
    assert_eq!(config.variations[1].params[0].1, number("10"));
    assert_eq!(config.baseline().unwrap().name, "a");
    let words = [
        "python3",
        "my task.py",
        "--agents",
        "{agents}",
        "--version={version}",
        "--out",
    ];
    assert_eq!(config.task.command[..6], words);
    assert_eq!(config.task.timeout_ms, Some(3_600_000));
    assert_eq!(config.task.env, [("SEED".to_owned(), "{seed}".to_owned())]);
    assert_eq!(config.metrics[0].goal, Some(Goal::Min));
    let [time, rate] = &config.success_criteria[..] else {
        panic!("two criteria")
    };
    assert_eq!((time.threshold, rate.threshold), (60_000.0, 0.05));
    assert!(!time.metric_unit.as_ref().unwrap().assumed);
    assert!(rate.metric_unit.as_ref().unwrap().assumed);
    assert_eq!(
        config.experiment.tags[1],
        ("nightly".to_owned(), String::new())
    );
}

#[test]
fn a_matrix_multiplies_named_variations() {
    let config = good(MATRIX).config;
    let names: Vec<_> = config.variations.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "small train.lr=0.10 note=\"\"",
            "small train.lr=0.10 note=\"two words\"",
            "small train.lr=1e-3 note=\"two words\"",
            "large train.lr=0.10 note=\"\"",
            "large train.lr=0.10 note=\"two words\"",
            "large train.lr=1e-3 note=\"two words\"",
        ]
    );
    assert_eq!(config.experiment.name, "EXP-002");
    let params: Vec<_> = config.variations[5].params.iter().collect();
    let texts: Vec<_> = params
        .iter()
        .map(|(name, param)| format!("{name}={}", param.text))
        .collect();
    assert_eq!(
        texts,
        ["layers=12", "model=s", "train.lr=1e-3", "note=two words"]
    );
}

#[test]
fn many_errors_are_told_at_once_each_at_its_place() {
    assert_eq!(
        errors(BROKEN),
        [
            "c.yaml:3:3: experiment: unknown key `autor`",
            "c.yaml:6:12: task.timeout: found the text `soon`, expected a time such as `90`, `90s`, `10m` or `1.5h`, at most 366d",
            "c.yaml:8:5: variations[0]: unknown key `nmae`",
            "c.yaml:8:5: variations[0]: the key `name` is missing; expected the variation's name",
            "c.yaml:11:22: variations[1].params.agents: found a list, expected a single value",
            "c.yaml:12:11: variations: the variation `b` was named before, in line 10",
            "c.yaml:13:5: variations[2]: unknown key `parms`",
            "c.yaml:14:1: unknown key `trails`",
            "c.yaml:15:9: trials: found the number 1e9, expected a whole number from 1 to 1000000",
            "c.yaml:16:10: metrics: found the text `error_rate`, expected a list of metrics",
            "c.yaml:19:16: success_criteria[0]: `under 5` has no comparison",
            "c.yaml:20:1: unknown key `seed`",
            "c.yaml:21:10: limits.concurrent: `limits.concurrent` is not supported yet",
            "c.yaml:22:9: engine: `engine: slurm` is not supported yet",
        ]
    );
    let hints = hints(BROKEN);
    for hint in [
        "did you mean `author`?",
        "did you mean `name`?",
        "did you mean `params`?",
        "did you mean `trials`?",
        "did you mean `random_seed`?",
    ] {
        assert!(hints.iter().any(|given| given == hint), "{hint}");
    }
}

#[test]
fn templates_are_checked_for_every_variation() {
    let text = "experiment: {name: x}\ntask: {command: 'run {agnets} {only_a}', cwd: '{data_path}'}\nvariations:\n- {name: a, agents: 1, only_a: 2}\n- {name: b, agents: 3}\n";
    assert_eq!(
        errors(text),
        [
            "c.yaml:2:17: task.command[1]: `{agnets}` in `{agnets}` has no value",
            "c.yaml:2:17: task.command[2]: `{only_a}` in `{only_a}` has no value in the variation `b`",
            "c.yaml:2:47: task.cwd: `{data_path}` in `{data_path}` has no value",
        ]
    );
    assert_eq!(hints(text)[0], "did you mean `{agents}`?");
}

#[test]
fn the_study_format_is_refused_key_by_key() {
    let found = errors(STUDY);
    assert_eq!(found.len(), 9);
    assert_eq!(
        found[0],
        "c.yaml:1:1: `experiment_name` is not supported yet"
    );
    assert!(found.contains(&"c.yaml:24:1: `scrambling` is not supported yet".to_owned()));
    let mixed = with("monitoring: {email_alerts: true}\n");
    assert_eq!(
        errors(&mixed),
        ["c.yaml:3:1: `monitoring` is not supported yet"]
    );
}

#[test]
fn optional_keys_that_ask_for_something_are_refused() {
    for (rest, message) in [
        (
            "priority: -5",
            "3:1: priority: `priority` is not supported yet",
        ),
        (
            "depends_on: [a]",
            "3:1: depends_on: `depends_on` is not supported yet",
        ),
        ("eval: {}", "3:1: eval: `eval` is not supported yet"),
        (
            "retry: {max_attempts: 3}",
            "3:9: retry.max_attempts: `retry.max_attempts` is not supported yet",
        ),
        (
            "retry: {}",
            "3:8: retry: the key `max_attempts` is missing; expected a whole number",
        ),
        (
            "retry: {max_attempts: 1, onn: []}",
            "3:26: retry: unknown key `onn`",
        ),
        (
            "engine: {kind: ray}",
            "3:16: engine.kind: `engine: ray` is not supported yet",
        ),
        (
            "engine: lokal",
            "3:9: engine: found the text `lokal`, expected one of local, slurm, ray, kubernetes",
        ),
    ] {
        assert_eq!(
            errors(&with(rest))[0],
            format!("c.yaml:{message}"),
            "{rest}"
        );
    }
    good(&with(
        "priority: 0\nengine: {kind: local}\ndepends_on: []\nretry: {max_attempts: 1}\n",
    ));
}

#[test]
fn bad_yaml_is_refused_with_its_place() {
    for (text, message) in [
        ("", "1:1: the file holds no config"),
        ("# only words\n---\n", "1:1: the file holds no config"),
        ("{}", "1:1: the file holds no config"),
        ("- a\n", "1:1: found a list, expected a map with the keys"),
        (
            "a: 1\na: 2\n",
            "2:1: the key `a` was given before, in line 1",
        ),
        ("a: 1\n---\nb: 2\n", "2:1: a second document begins here"),
        ("a: *b\n", "1:4: not readable as YAML"),
        (
            "a: &x [*x]\n",
            "1:8: the alias stands for something that contains it",
        ),
        (
            "a: !python/object x\n",
            "1:4: the tag `!python/object` has no meaning here",
        ),
        ("a: !!int x\n", "1:4: the tag"),
        ("? [a]\n: b\n", "1:3: found a list, expected a text as key"),
        (
            "a: {<<: 5}\n",
            "1:9: found the number 5, expected a map to merge",
        ),
        ("a:\n\tb: 1\n", "2:2: not readable as YAML"),
        ("a: [1, 2\n", "2:1: not readable as YAML"),
        ("a: \"x\n", "1:4: not readable as YAML"),
    ] {
        let found = &errors(text)[0];
        assert!(
            found.starts_with(&format!("c.yaml:{message}")),
            "{text:?}: {found}"
        );
    }
    assert_eq!(
        hints("a:\n\tb: 1\n"),
        ["indent with spaces; YAML takes no tabs"]
    );
}

#[test]
fn bombs_are_refused() {
    let ten_times = |at: usize| {
        let aliases = vec![format!("*a{at}"); 10].join(", ");
        format!("a{}: &a{} [{aliases}]\n", at + 1, at + 1)
    };
    let levels: Vec<String> = (0..12).map(ten_times).collect();
    let bomb = format!("a0: &a0 [x, x, x, x, x]\n{}", levels.concat());
    assert!(errors(&bomb)[0].contains("too many values: the limit is 100000"));
    let deep = format!("a: {}{}", "[".repeat(200), "]".repeat(200));
    assert!(errors(&deep)[0].contains("too many levels: the limit is 32"));
    let deep: Vec<String> = (0..5000)
        .map(|at| {
            " ".repeat(at)
                + "a:
"
        })
        .collect();
    assert!(errors(&deep[..40].concat())[0].contains("too many levels: the limit is 32"));
    assert!(parse(&deep[..1000].concat(), "c").is_err());
    let long = "#".repeat((1 << 20) + 1);
    assert!(errors(&long)[0].contains("the file is too long"));
    let wide = with(
        "matrix: {a: [1,2,3,4,5,6,7,8,9,10], b: [1,2,3,4,5,6,7,8,9,10], c: [1,2,3,4,5,6,7,8,9,10], d: [1,2,3,4,5,6,7,8,9,10], e: [1, 2]}",
    );
    assert!(errors(&wide)[0].contains("too many combinations: the limit is 10000"));
    let many = with("matrix: {a: [1, 2, 3]}\ntrials: 400000\n");
    assert!(errors(&many)[0].contains("too many runs"));
}

#[test]
fn values_outside_what_is_allowed_are_refused() {
    for (rest, message) in [
        (
            "trials: 0",
            "trials: found the number 0, expected a whole number from 1 to 1000000",
        ),
        ("trials: -1", "trials: found the number -1, expected"),
        ("trials: '3'", "trials: found the text `3`, expected"),
        (
            "random_seed: -1",
            "random_seed: found the number -1, expected",
        ),
        (
            "seed_policy: pared",
            "seed_policy: found the text `pared`, expected one of derived, paired, fixed",
        ),
        (
            "variations: {a: 1}",
            "variations: found a map, expected a list of variations",
        ),
        (
            "variations: [a]",
            "variations[0]: found the text `a`, expected a map",
        ),
        (
            "variations: [{name: a, params: {x.y: 1, x: {y: 2}}}]",
            "variations[0]: the param `x.y` was named before",
        ),
        (
            "variations: [{name: a, baseline: yes}]",
            "variations[0].baseline: found the text `yes`, expected `true` or `false`",
        ),
        (
            "variations: [{name: a, baseline: true}, {name: b, baseline: true}]",
            "variations: the baseline `b` was named before",
        ),
        (
            "variations: [{name: a, deep: {x: 1}}]",
            "variations[0].deep: found a map, expected a single value",
        ),
        (
            "matrix: {a: [1, 1]}",
            "matrix: the combination `a=1` was named before",
        ),
        (
            "matrix: {a: []}",
            "matrix.a: found a list, expected at least one value",
        ),
    ] {
        let found = &errors(&with(rest))[0];
        assert!(found.contains(message), "{rest}: {found}");
    }
}

#[test]
fn metrics_and_criteria_are_checked() {
    for (rest, message) in [
        (
            "metrics: [a, a]",
            "metrics[1]: the metric `a` was named before",
        ),
        (
            "metrics: [{name: a, goal: high}]",
            "metrics[0].goal: found the text `high`, expected one of",
        ),
        (
            "success_criteria: [t < 60s]",
            "success_criteria[0]: `< 60s` has a unit, but the unit of `t` is not known",
        ),
    ] {
        let found = &errors(&with(rest))[0];
        assert!(found.contains(message), "{rest}: {found}");
    }
}

#[test]
fn odd_things_are_kept_with_a_warning() {
    // A param that happens to look like a key is a param when that key is there too.
    let config = good(&with("variations: [{name: a, game: 1, params: {x: 1}}]")).config;
    assert_eq!(config.variations[0].params.len(), 2);
    let warned = good(
        "experiment: {name: x}\ntask: {command: 'run > {seed}'}\nvariations: [{name: a, seed: 1}]\nmetrics: [error_rate]\nsuccess_criteria: [eror_rate < 1]\n",
    );
    let warnings: Vec<String> = warned.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "line 2: task.command: no shell runs the command: `>` is passed on as it is",
            "line 5: success_criteria[0]: `eror_rate` is not among the metrics; did you mean `error_rate`?",
            "line 3: variations: the param `seed` hides the built-in `{seed}`",
        ]
    );
}

#[test]
fn without_variations_there_is_one_and_one_trial() {
    let config = good(&with("")).config;
    assert_eq!(config.runs(), 1);
    assert_eq!(config.variations[0].name, "default");
}

#[test]
fn a_mark_at_the_beginning_and_foreign_line_ends_change_nothing() {
    let foreign = format!("\u{feff}{}", FLAT.replace('\n', "\r\n"));
    assert_eq!(good(&foreign).config, good(FLAT).config);
}

#[test]
fn long_lists_are_refused_before_they_cost_time() {
    let names: Vec<String> = (0..1001).map(|at| format!("m{at}")).collect();
    let metrics = with(&format!("metrics: [{}]", names.join(", ")));
    assert!(errors(&metrics)[0].ends_with("too many entries: the limit is 1000"));
    let axes = with(&format!("matrix: {{{}: 1}}", names.join(": 1, ")));
    assert!(errors(&axes)[0].ends_with("too many params: the limit is 100"));
    let keys: Vec<String> = (0..300).map(|at| format!("key{at}: 1\n")).collect();
    assert_eq!(errors(&keys.concat()).len(), 100);
}

#[test]
fn documents_read_back_equal() {
    for text in [COORDINATION, FLAT, MATRIX, EXAMPLE] {
        let config = good(text).config;
        let json = serde_json::to_string(&config.document()).unwrap();
        let again: Config = serde_json::from_str(&json).unwrap();
        assert_eq!(again, config);
        assert_eq!(again.hash(), config.hash());
    }
    let document = good(FLAT).config.document();
    let params = &document["variations"][0]["params"];
    let expected =
        json!({"agents": 5, "version": {"text": "3.10", "kind": "number"}, "country": "no"});
    assert_eq!(*params, expected);
}

/// The schema is kept by hand; this holds its keys to the parser's.
#[test]
fn the_published_schema_knows_the_same_keys() {
    const SCHEMA: &str = include_str!("../../../../docs/reference/config.schema.json");
    let schema: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
    let mut places = 0;
    for (place, keys) in known_keys() {
        let object = match place {
            "" => &schema,
            name => &schema["$defs"][name],
        };
        let properties = object["properties"].as_object().expect(place);
        let mut found: Vec<&str> = properties.keys().map(String::as_str).collect();
        let mut expected = keys.to_vec();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{place}");
        places += 1;
    }
    let definitions = schema["$defs"].as_object().unwrap();
    let with_keys = definitions
        .values()
        .filter(|one| one.get("properties").is_some());
    assert_eq!(with_keys.count() + 1, places);
}

/// Every example of the reference is a config, or part of one, that is read.
#[test]
fn the_examples_of_the_reference_are_read() {
    const REFERENCE: &str = include_str!("../../../../docs/reference/config.md");
    let examples: Vec<&str> = REFERENCE
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(examples.len() >= 3);
    for example in examples {
        let whole = example.contains("\nexperiment:") || example.starts_with("experiment:");
        let text = if whole {
            example.to_owned()
        } else {
            with(example)
        };
        let parsed = good(&text);
        assert_eq!(parsed.warnings, [], "{example}");
    }
}

#[test]
fn the_hash_follows_the_meaning() {
    let hash = |text: &str| good(text).config.hash();
    let same = FLAT
        .replace(
            "  tags: [smoke, nightly]",
            "  notes: other\n  created: 2026-01-01",
        )
        .replace("version: 3.10", "version: 3.100e0")
        .replace("completion_time < 60s", "completion_time < 1m")
        .replace("engine: local", "environment: {python_version: 3.13}");
    assert_eq!(hash(&same), hash(FLAT));
    assert_eq!(hash(FLAT).len(), 64);
    for (from, to) in [
        ("agents: 5", "agents: 6"),
        ("trials: 2", "trials: 3"),
        ("Flat form", "Flat"),
        ("agents: 5", "agents: \"5\""),
    ] {
        assert_ne!(hash(&FLAT.replace(from, to)), hash(FLAT), "{to}");
    }
}

#[test]
fn a_grid_from_the_command_line_is_a_config() {
    let parts = GridParts {
        name: "sweep".to_owned(),
        command: ["train", "--lr={lr}", "--m={model}"]
            .map(str::to_owned)
            .to_vec(),
        axes: vec![
            axis("lr=0.10,1e-3").unwrap(),
            axis("model=\"a,b\",c").unwrap(),
        ],
        trials: 2,
        ..GridParts::default()
    };
    let config = from_grid(parts.clone()).unwrap();
    assert_eq!(config.runs(), 8);
    let names: Vec<_> = config.variations.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "lr=0.10 model=a,b",
            "lr=0.10 model=c",
            "lr=1e-3 model=a,b",
            "lr=1e-3 model=c"
        ]
    );
    let change = |change: &dyn Fn(&mut GridParts)| {
        let mut parts = parts.clone();
        change(&mut parts);
        from_grid(parts).unwrap_err().to_string()
    };
    assert_eq!(
        change(&|parts| parts.command.clear()),
        "there is no command to run"
    );
    assert_eq!(
        change(&|parts| parts.trials = 0),
        "there have to be from 1 to 1000000 trials"
    );
    assert_eq!(
        change(&|parts| parts.axes.push(axis("lr=1").unwrap())),
        "`lr` is set twice"
    );
    assert_eq!(
        change(&|parts| parts.axes[0].1.extend_from_within(..1)),
        "the combination `lr=0.10 model=a,b` is there twice"
    );
    let error = change(&|parts| parts.command.push("{rl}".to_owned()));
    assert_eq!(error, "`{rl}` in `{rl}` has no value");
    for bad in ["lr", "=1", "lr=\"a", "lr=\"a\"b"] {
        assert!(axis(bad).is_err(), "{bad}");
    }
    assert_eq!(axis("a=").unwrap().1, [Param::text("")]);
}

fn any_param() -> impl Strategy<Value = Param> {
    prop_oneof![
        any::<String>().prop_map(|text| plain_scalar(&text)),
        any::<String>().prop_map(Param::text),
        any::<f64>().prop_map(|number| plain_scalar(&number.to_string())),
        "[-+]?[0-9]{0,25}(\\.[0-9]{0,3})?(e[0-9]{1,3})?".prop_map(|text| plain_scalar(&text)),
    ]
}

proptest! {
    #[test]
    fn any_text_is_answered(text in "(?s).{0,200}") {
        let _answer = parse(&text, "c.yaml");
    }

    #[test]
    fn any_yamlish_text_is_answered(text in "[-a-c:{}\\[\\]&*!|>'\"%#?<, \n\t0-9.]{0,120}") {
        let _answer = parse(&text, "c.yaml");
    }

    #[test]
    fn mutated_configs_are_answered(
        which in 0_usize..5,
        changes in prop::collection::vec((any::<prop::sample::Index>(), "[-a-z:{}\\[\\]&*!|>'\"%#?, \n\t0-9.\\PC]{0,4}", 0_usize..6), 1..4),
    ) {
        let mut letters: Vec<char> = [COORDINATION, FLAT, MATRIX, BROKEN, STUDY][which].chars().collect();
        for (at, new, removed) in changes {
            let from = at.index(letters.len());
            let to = (from + removed).min(letters.len());
            letters.splice(from..to, new.chars());
            if letters.is_empty() { letters.push('x'); }
        }
        let text: String = letters.into_iter().collect();
        match parse(&text, "c.yaml") {
            Ok(parsed) => {
                let document = parsed.config.document();
                let again: Config = serde_json::from_value(document).unwrap();
                prop_assert_eq!(again, parsed.config);
            }
            Err(errors) => {
                prop_assert!(!errors.errors.is_empty());
                prop_assert!(errors.errors.iter().all(|error| error.at.line >= 1 && error.at.column >= 1));
                prop_assert!(!errors.to_string().is_empty());
            }
        }
    }

    #[test]
    fn params_read_back_from_documents(param in any_param()) {
        let value = param_to_value(&param);
        let text = serde_json::to_string(&value).unwrap();
        prop_assert_eq!(param_from_value(&serde_json::from_str(&text).unwrap()), Some(param));
    }

    #[test]
    fn any_axis_is_answered(text in "[a-c=,\"0-9]{0,12}") {
        if let Ok((key, values)) = axis(&text) {
            prop_assert!(!key.is_empty() && !values.is_empty());
        }
    }
}

#[test]
fn names_of_points_tell_no_secret() {
    let axes = ["api_key=hunter2,swordfish", "n=1"].map(|text| axis(text).unwrap());
    let config = from_grid(GridParts {
        name: "x".to_owned(),
        command: vec!["run".to_owned()],
        axes: axes.to_vec(),
        trials: 1,
        ..GridParts::default()
    })
    .unwrap();
    let names: Vec<&str> = config
        .variations
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    assert_ne!(names[0], names[1]);
    for name in names {
        assert!(
            name.starts_with("api_key#") && name.ends_with(" n=1"),
            "{name}"
        );
        assert!(
            !name.contains("hunter2") && !name.contains("swordfish"),
            "{name}"
        );
        assert_eq!(
            crate::secret::value(name).content,
            name,
            "nothing to filter"
        );
    }
}

#[test]
fn variables_and_tags_stand_in_the_document_by_name() {
    let config = good(
        "experiment: {name: x, tags: {b: '1', a: '2'}}\n\
         task: {command: [run], env: {DB_PASSWORD: hunter2, A: '1'}}\n",
    )
    .config;
    let document = config.document();
    assert_eq!(document["task"]["env"]["DB_PASSWORD"], "hunter2");
    assert_eq!(document["experiment"]["tags"]["b"], "1");
    let filtered = crate::secret::json(document.clone()).content;
    assert!(!filtered.to_string().contains("hunter2"), "{filtered}");
    let again: Config = serde_json::from_value(document).unwrap();
    assert_eq!(again, config);
}

#[test]
fn a_grid_over_a_config_replaces_params_and_names_its_values() {
    let config = parse(
        "experiment: {name: e}\ntask: {command: [run, '{n}']}\nvariations: [{name: a, n: 1, m: 2}, {name: b, n: 3}]\ntrials: 2\n",
        "c",
    );
    let config = config.unwrap().config;
    let axes = [axis("n=7,8").unwrap()];
    let grid = with_grid(&config, &axes).unwrap();
    let names: Vec<&str> = grid.variations.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["a n=7", "a n=8", "b n=7", "b n=8"]);
    let params = |at: usize| {
        let params = grid.variations[at].params.iter();
        let params = params.map(|(name, param)| format!("{name}={}", param.text));
        params.collect::<Vec<_>>()
    };
    assert_eq!(params(1), ["m=2", "n=8"]);
    assert_eq!(params(2), ["n=7"]);
    assert_eq!(grid.trials, 2);
    let refused = |text: &str| with_grid(&config, &[axis(text).unwrap()]).unwrap_err();
    assert!(matches!(refused("n=7,7"), GridError::Repeated { .. }));
    let twice = [axis("n=1").unwrap(), axis("n=2").unwrap()];
    assert!(matches!(
        with_grid(&config, &twice),
        Err(GridError::SetTwice { .. })
    ));
}

#[test]
fn parts_of_the_capture_are_switched_off() {
    use crate::capture::{Part, Parts};

    assert_eq!(keys::CAPTURE, Part::ALL.map(Part::word));
    let config = good(&with("capture: {git: false, console: true}\n")).config;
    let parts = Parts::all().within(&config.capture);
    assert!(!parts.has(Part::Git) && parts.has(Part::Console) && parts.has(Part::Data));
    assert_eq!(config.document()["capture"]["git"], false);
    assert_eq!(config.hash(), good(&with("")).config.hash());
    let errors = parse(&with("capture: {gti: false}\n"), "c").unwrap_err();
    assert!(
        errors.to_string().contains("did you mean `git`?"),
        "{errors}"
    );
}

#[test]
fn one_metric_at_most_is_the_primary_one() {
    let of = |metrics: &str| {
        format!("experiment: {{name: t}}\ntask: {{command: [\"true\"]}}\nmetrics: [{metrics}]\n")
    };
    let config = parse(&of("{name: a, primary: true}, b"), "t.yaml")
        .unwrap()
        .config;
    assert!(config.metrics[0].primary && !config.metrics[1].primary);
    let twice = errors(&of("{name: a, primary: true}, {name: b, primary: true}"));
    assert_eq!(twice.len(), 1, "{twice:?}");
    assert!(twice[0].contains("the primary metric `b`"), "{twice:?}");
}
