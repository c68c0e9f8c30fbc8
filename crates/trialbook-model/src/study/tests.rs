use super::*;

const STUDY: &str = include_str!("../../tests/fixtures/config/study.yaml");

fn warnings(text: &str) -> Vec<String> {
    let (_, warnings) = parse(text, "s.yaml").unwrap();
    warnings.iter().map(Warning::to_string).collect()
}

fn errors(text: &str) -> Vec<String> {
    let errors = parse(text, "s.yaml").unwrap_err().errors;
    errors.iter().map(ToString::to_string).collect()
}

const SHORT: &str = "experiment_name: s\nmodels: [{name: m, provider: ollama}]\n";

/// S-18, S-19, S-20, S-21, S-22, S-23, S-24.
#[test]
fn a_whole_plan_is_read() {
    let (study, warnings) = parse(STUDY, "s.yaml").unwrap();
    assert_eq!(warnings, []);
    assert_eq!(study.name, "language_dependency_study");
    assert_eq!(study.research.researcher.as_deref(), Some("Dr. Smith"));
    assert_eq!(study.models[1].provider, Provider::Openrouter);
    assert_eq!(study.models[0].max_tokens, Some(200));
    assert_eq!(study.scrambling.levels.len(), 7);
    assert!(study.scrambling.preserve_numbers);
    assert_eq!(study.scrambling.random_seed, Some(42));
    assert_eq!(study.estimate(), None, "without a benchmark nobody knows");
    assert_eq!(study.document["export"]["formats"][2], "excel");
    assert!(is_study(STUDY) && !is_study("experiment: {name: a}\ntask: {command: [x]}\n"));
}

/// S-17, S-25.
#[test]
fn estimates_count_each_models_own_calls() {
    let text = format!(
        "{STUDY}benchmarks:\n  math: {{paths: [a.json, b.json], sample_size: 100}}\n  logic: {{paths: [c.json]}}\n"
    );
    let (study, _) = parse(&text, "s.yaml").unwrap();
    let estimate = study.estimate().unwrap();
    assert_eq!(study.max_samples(), Some(1000));
    // 1,100 questions at seven levels, of two models of which one costs something.
    assert_eq!(estimate.api_calls, 15_400);
    assert!((estimate.cost - 7.7).abs() < 1e-9);
    assert!((estimate.hours - 15_400.0 * 2.0 / 3600.0).abs() < 1e-9);
    let dear = text.replace(
        "    provider: \"ollama\"",
        "    provider: ollama\n    price_per_call: 0.01",
    );
    let (study, _) = parse(&dear, "s.yaml").unwrap();
    assert!((study.estimate().unwrap().cost - 84.7).abs() < 1e-9);
}

/// S-28, S-30.
#[test]
fn what_is_unknown_or_has_no_effect_is_a_warning() {
    for (more, told) in [
        (
            "colour: red",
            "line 3: colour: unknown key `colour`: it is kept and has no effect",
        ),
        (
            "export: {format: [csv]}",
            "line 3: export.format: unknown key `format`: it is kept and has no effect; did you mean `formats`?",
        ),
        (
            "monitoring: {email_alerts: true}",
            "line 3: monitoring: `monitoring.email_alerts` has no effect here",
        ),
        (
            "tracking: {resource_alert_thresholds: {error_rate: 0.1}}\nmonitoring: {resource_alert_thresholds: {error_rate: 0.2}}",
            "line 3: tracking: `tracking.resource_alert_thresholds.error_rate` has no effect here",
        ),
        (
            "scrambling: {levels: [0, 0.5, 1]}",
            "line 3: scrambling.levels: levels are percents; `level_unit: fraction` says otherwise",
        ),
    ] {
        assert_eq!(warnings(&format!("{SHORT}{more}\n")), [told]);
    }
    let fractions = format!("{SHORT}scrambling: {{levels: [0, 0.5], level_unit: fraction}}\n");
    let (study, warnings) = parse(&fractions, "s").unwrap();
    assert_eq!(
        (study.scrambling.levels, warnings),
        (vec![0.0, 50.0], vec![])
    );
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (more, told) in [
        (
            "scrambling: {levels: [0, 120]}",
            "s.yaml:3:26: scrambling.levels[1]: found the number 120, expected a number from 0 to 100",
        ),
        (
            "scrambling: {methods: [rot13]}",
            "s.yaml:3:24: scrambling.methods[0]: found the text `rot13`, expected one of character_substitution, character, symbol_substitution, word_scramble, word_order",
        ),
        (
            "benchmarks: {a: {sample_size: 3}}",
            "s.yaml:3:17: benchmarks.a: the key `paths` is missing; expected a list of files with questions",
        ),
        (
            "statistical_analysis: {confidence_level: 95}",
            "s.yaml:3:42: statistical_analysis.confidence_level: found the number 95, expected a number from 0 to 1",
        ),
    ] {
        assert_eq!(errors(&format!("{SHORT}{more}\n")), [told]);
    }
    let twice = "experiment_name: s\nmodels: [{name: m, provider: ollama}, {name: m, provider: x}, {name: m, provider: ollama}]\n";
    let found = errors(twice);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[1].contains("the model `m` was named before, in line 2"),
        "{found:?}"
    );
    assert!(errors("models: []\n")[0].contains("`experiment_name` is missing"));
}
