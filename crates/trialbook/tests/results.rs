//! Setups of runs and what their judged items came to, with the numbers of the tracker whose example they are.

mod sandbox;

use std::fs;

use sandbox::Sandbox;
use serde_json::{Value, json};

/// The setup of the example.
const SETUP: &str = "
agents:
  - {name: supervisor, model: gpt-4o, temperature: 0.1, role: Financial QA Orchestrator,
     goal: 'Decompose conversational financial queries', verbose: true, allow_delegation: false, tools: []}
  - {name: extractor, model: gpt-4o-mini, temperature: 0.0, role: Financial Data Extraction Specialist}
workflow: {process_type: hierarchical, manager_model: gpt-4o, manager_temperature: 0.1, memory_enabled: true}
tasks:
  - {task_type: calculation, agent_assignment: calculator}
  - {task_type: extraction, agent_assignment: extractor}
  - {task_type: supervision, agent_assignment: supervisor}
  - {task_type: validation, agent_assignment: validator}
dataset: {total_conversations: 737, sample_size: 5, sampling_strategy: sequential, random_seed: null,
          conversation_ids: [train_0, train_1], avg_conversation_length: 3.2,
          question_types: {calculation: 15, lookup: 8, comparison: 5, other: 4}}
system: {api_key_set: true, api_key: sk-proj-abcdefghijklmnopqrstuvwxyz0123456789, logging_level: INFO}
params: {top_k: 3}
";

/// Types of the questions and how many of each.
const TYPES: [(&str, usize); 4] = [
    ("calculation", 15),
    ("lookup", 8),
    ("comparison", 5),
    ("other", 4),
];

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value}"))
}

/// C-11, C-12, C-13, C-15, C-16, C-17, C-25.
#[test]
#[expect(clippy::too_many_lines, reason = "a day is told in its order")]
fn thirty_two_questions_come_to_what_the_example_says() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("--experiment qa --alias exp_20241227_143022");
    let mut at = 0;
    for (kind, count) in TYPES {
        for _ in 0..count {
            let id = format!("q-{at}");
            let label = format!("type={kind}");
            let mut args = vec!["log", "item", &id, "--label", &label, "--run", &run];
            args.extend(["--latency-ms", "4540.625", "--cost", "0.00073125"]);
            args.extend(match at {
                // The four failures of the example, all among the calculations.
                0 | 1 => [
                    "--error-kind",
                    "TimeoutError",
                    "--error",
                    "no answer in 30 s",
                ],
                2 => ["--error-kind", "ValidationError", "--error", "no number"],
                3 => ["--error-kind", "ParseError", "--error", "not JSON"],
                _ => ["--score", "correct=true", "--agent", "supervisor"],
            });
            sandbox.run(args).ok();
            at += 1;
        }
    }
    let show = sandbox.say("show exp_20241227_143022 --json").json();
    assert_eq!(show["aliases"], json!(["exp_20241227_143022"]));
    let results = &show["results"];
    assert_eq!(results["total_questions"], 32);
    assert_eq!(results["correct_answers"], 28);
    assert_eq!(results["accuracy_rate"], 0.875);
    assert_eq!(results["failure_count"], 4);
    assert_eq!(results["failure_rate"], 0.125);
    assert_eq!(results["total_execution_time"], 145.3);
    let mean = number(&results["avg_execution_time_per_question"]);
    assert_eq!(format!("{mean:.2}"), "4.54");
    assert_eq!(results["total_estimated_cost"], 0.0234);
    let cost = number(&results["avg_cost_per_question"]);
    assert_eq!(format!("{cost:.5}"), "0.00073");
    assert_eq!(results["error_patterns"]["TimeoutError"]["count"], 2);
    assert_eq!(
        results["error_patterns"]["TimeoutError"]["example_item"],
        "q-0"
    );
    assert_eq!(
        results["error_patterns"]["ParseError"]["example_message"],
        "not JSON"
    );
    let types = &results["question_type_performance"];
    for (kind, count) in TYPES {
        assert_eq!(types[kind]["total_questions"], count);
    }
    assert_eq!(number(&types["calculation"]["accuracy_rate"]), 11.0 / 15.0);
    assert_eq!(types["lookup"]["accuracy_rate"], 1.0);
    // Only what an agent's own records say.
    let agents = results["agent_performance"].as_object().unwrap();
    assert_eq!(agents.len(), 1);
    assert_eq!(agents["supervisor"]["total_executions"], 28);
    assert_eq!(agents["supervisor"]["success_rate"], 1.0);

    let text = sandbox.say("show exp_20241227_143022").ok();
    for line in [
        "  questions    32\n",
        "  correct      28 of 32 judged (87.5%)\n",
        "  failures     4 (12.5%)\n",
        "  time         145.3 s, 4.54063 s a question\n",
        "  cost         $0.0234, $0.00073125 a question\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
    let list = sandbox.say("list").ok();
    assert!(
        list.contains(" 87.5% ") && list.contains("$0.023"),
        "{list}"
    );
    let stats = sandbox.say("stats --json").json();
    assert_eq!(stats["best_accuracy"], 0.875);
    assert_eq!(stats["total_cost"], 0.0234);
}

#[test]
fn what_was_recorded_twice_and_what_is_no_verdict_is_told() {
    let sandbox = Sandbox::new();
    let run = sandbox.start("");
    let log = |words: &str| {
        let said = sandbox.say(&format!("log item {words} --run {run}"));
        assert_eq!(said.code, 0, "{said:?}");
        said.err
    };
    assert_eq!(log("q-1 --score correct=true"), "");
    log("q-1 --score correct=false");
    log("q-2 --score correct=false");
    for odd in ["1.5", "maybe"] {
        let err = log(&format!("q-3 --score correct={odd} --repeat 1"));
        assert!(err.contains("item q-3 counts as not judged"), "{err}");
    }
    log("q-3 --score correct=true --repeat 2");
    let shown = sandbox.say(&format!("show {run}")).ok();
    for line in [
        "5; 1 recorded again without a repeat or an attempt: each counts; 1 earlier that later ones replace\n",
        "  correct      2 of 4 judged (50.0%)\n",
    ] {
        assert!(shown.contains(line), "{line}{shown}");
    }
    let results = &sandbox.say(&format!("show {run} --json")).json()["results"];
    assert_eq!(
        (&results["recorded_again"], &results["superseded"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(results["judged_questions"], 4);
    // A second attempt takes the place of the first one, in every place.
    log("q-2 --score correct=true --attempt 2");
    let listed = sandbox.say("list").ok();
    assert!(listed.contains("75.0%"), "{listed}");
    let results = &sandbox.say(&format!("show {run} --json")).json()["results"];
    assert_eq!(results["total_questions"], 5);
    assert_eq!(sandbox.say("stats --json").json()["best_accuracy"], 0.75);
}

/// C-1, C-2, C-3, C-4, C-5, C-6, C-8, C-9.
#[test]
fn a_setup_is_kept_hashed_and_recognised() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.work().join("setup.yaml"), SETUP).unwrap();
    let first = sandbox.say("start --name one --config setup.yaml --notes tried");
    assert!(
        first.err.contains("`system.api_key` looks like a secret"),
        "{first:?}"
    );
    first.ok();
    let show = sandbox.say("show one --json").json();
    assert_eq!(show["setup"]["agents"]["extractor"]["model"], "gpt-4o-mini");
    assert_eq!(show["setup"]["dataset"]["question_types"]["lookup"], 8);
    assert_eq!(show["params"]["top_k"], 3);
    assert!(!show.to_string().contains("sk-proj"), "{show}");
    let hash = show["config_hash"].as_str().unwrap().to_owned();
    let text = sandbox.say("show one").ok();
    let head = format!("Setup {}, older hash 31f58be7a31c\n", &hash[..12]);
    assert!(text.contains(&head), "{text}");
    assert!(text.contains("Financial QA Orchestrator"), "{text}");
    assert!(text.contains("workflow.process_type"), "{text}");

    // The same blocks from files of their own, agents as a map: the same configuration.
    let blocks: Value = show["setup"].clone();
    for kind in ["agents", "workflow", "tasks", "dataset"] {
        fs::write(sandbox.work().join(kind), blocks[kind].to_string()).unwrap();
    }
    let words = "start --name two --config-snapshot agents=agents --config-snapshot workflow=workflow \
                 --config-snapshot tasks=tasks --config-snapshot dataset=dataset --json";
    let second = sandbox.say(words);
    assert!(
        second
            .err
            .contains("same configuration as Default/run-001\n"),
        "{second:?}"
    );
    let second = second.json();
    assert_eq!(second["config_hash"].as_str().unwrap(), hash);
    assert_eq!(second["same_configuration"], json!(["Default/run-001"]));
    let found = sandbox
        .run(["search", &format!("config_hash = '{hash}'"), "--json"])
        .json();
    assert_eq!(found["total"], 2);
    assert_eq!(sandbox.say("stats --json").json()["configurations"], 1);
    sandbox.say("end --run one").ok();
    sandbox.say("end --run two").ok();
    sandbox.say("doctor").ok();

    for (words, said) in [
        ("start --config nowhere.yaml", "cannot read `nowhere.yaml`"),
        (
            "start --config-snapshot agent=agents",
            "is no block of a setup",
        ),
    ] {
        let refused = sandbox.say(words);
        assert!(
            refused.code != 0 && refused.err.contains(said),
            "{refused:?}"
        );
    }
    fs::write(sandbox.work().join("bad.yaml"), "agents:\n  - {model: x}\n").unwrap();
    let refused = sandbox.say("start --config bad.yaml").failed(4);
    assert!(refused.contains("bad.yaml:2:5"), "{refused}");
    assert_eq!(sandbox.say("list --json").json()["total"], 2);
}
