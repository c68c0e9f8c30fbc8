//! Models, prompts and webhooks from the command line, black box.

#![expect(clippy::unwrap_used, reason = "a test stops at its first surprise")]

mod sandbox;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use sandbox::Sandbox;
use serde_json::{Value, json};
use trialbook_model::id::{EntryUid, Uid};
use trialbook_model::record::{CreateEntry, EntryKind, Hidden, Op, SetSecret, Subject};

fn uid(at: u8) -> EntryUid {
    EntryUid(Uid([at; 16]))
}

fn made(at: u8, kind: EntryKind, of: Subject, fields: &Value) -> CreateEntry {
    let mut create = CreateEntry::of(uid(at), kind, of);
    let fields = fields.as_object().unwrap();
    create.fields = fields
        .iter()
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    create
}

fn project() -> Subject {
    Subject::Project("default".to_owned())
}

/// A model with two versions, a prompt with one.
fn filled() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.say("init").ok();
    let named = |mut create: CreateEntry, name: &str| {
        create.name = Some(name.to_owned());
        create.tags = [("team".to_owned(), "a".to_owned())].into();
        Op::CreateEntry(Box::new(create))
    };
    let version = |at: u8, of: u8, fields: Value| {
        let of = Subject::Entry(uid(of));
        Op::CreateEntry(Box::new(made(at, EntryKind::Version, of, &fields)))
    };
    let model = json!({"kind": "model", "description": "who leaves"});
    let prompt = json!({"kind": "prompt"});
    let ops = [
        named(made(1, EntryKind::Collection, project(), &model), "churn"),
        version(2, 1, json!({"source": "s3://a", "run": "ab".repeat(16)})),
        version(3, 1, json!({"source": "s3://b", "stage": "Production"})),
        named(
            made(4, EntryKind::Collection, project(), &prompt),
            "greeting",
        ),
        version(5, 4, json!({"text": "Hello,\n{{name}}!"})),
    ];
    sandbox::record(&sandbox, &ops);
    sandbox
}

#[test]
fn models_are_listed_and_shown_with_their_versions() {
    let sandbox = filled();
    let list = sandbox.say("model list --json").json();
    let models = list["models"].as_array().unwrap();
    assert_eq!(models.len(), 1, "a prompt is no model");
    let churn = &models[0];
    assert_eq!(
        (
            &churn["name"],
            &churn["versions"],
            &churn["latest"],
            &churn["tags"]
        ),
        (&json!("churn"), &json!(2), &json!(2), &json!({"team": "a"}))
    );
    let text = sandbox.say("model list").ok();
    assert!(
        text.contains("churn") && text.contains("who leaves"),
        "{text}"
    );
    let show = sandbox.say("model show churn --json").json();
    let versions = show["all_versions"].as_array().unwrap();
    assert_eq!(versions.len(), 2);
    assert_eq!(
        (&versions[1]["source"], &versions[1]["stage"]),
        (&json!("s3://b"), &json!("Production"))
    );
    let one = sandbox.say("model show churn/1 --json").json();
    assert_eq!(
        (&one["version"], &one["run"]),
        (&json!(1), &json!("ab".repeat(16)))
    );
    let text = sandbox.say("model show churn").ok();
    assert!(
        text.contains("s3://a") && text.contains("abababab"),
        "{text}"
    );
    let failed = sandbox.say("model show chrun").failed(3);
    assert!(failed.contains("did you mean `churn`?"), "{failed}");
    sandbox.say("model show churn/9").failed(3);
    sandbox.say("model show greeting").failed(3);
}

#[test]
fn an_alias_leads_to_a_version_until_it_is_taken_away() {
    let sandbox = filled();
    let out = sandbox.say("model alias churn champion 1").ok();
    assert_eq!(out, "churn@champion is version 1\n");
    let show = sandbox.say("model show churn --json").json();
    assert_eq!(show["aliases"], json!({"champion": 1}));
    let one = sandbox.say("model show churn@champion --json").json();
    assert_eq!(
        (&one["version"], &one["aliases"]),
        (&json!(1), &json!(["champion"]))
    );
    let moved = sandbox.say("model alias churn champion --json").json();
    assert_eq!(moved["version"], 2, "the greatest where none is named");
    let gone = sandbox.say("model alias churn champion --remove").ok();
    assert_eq!(gone, "churn has no alias champion any more\n");
    sandbox.say("model show churn@champion").failed(3);
    sandbox.say("model alias churn champion --remove").failed(3);
    for alias in ["latest", "v2", "a.b"] {
        let failed = sandbox
            .say(&format!("model alias churn {alias} 1"))
            .failed(4);
        assert!(failed.contains("unlike a version such as"), "{failed}");
    }
    assert_eq!(
        sandbox.say("model show churn@latest --json").json()["version"],
        2
    );
}

#[test]
fn prompts_are_shown_with_their_texts() {
    let sandbox = filled();
    let list = sandbox.say("prompt list --json").json();
    assert_eq!(list["prompts"][0]["name"], "greeting");
    let text = sandbox.say("prompt show greeting/1").ok();
    assert!(text.ends_with("\nHello,\n{{name}}!\n"), "{text}");
    let one = sandbox.say("prompt show greeting@latest --json").json();
    assert_eq!(one["text"], "Hello,\n{{name}}!");
}

#[test]
fn webhooks_are_listed_and_tried_out_without_telling_their_secret() {
    let sandbox = filled();
    assert_eq!(sandbox.say("webhook list").ok(), "no webhooks\n");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let fields = json!({
        "url": format!("http://{}/hook", listener.local_addr().unwrap()),
        "events": ["model_version.created"], "status": "active",
    });
    let mut hook = made(9, EntryKind::Webhook, project(), &fields);
    hook.name = Some("deploy".to_owned());
    let secret = Some(Hidden::new("pssst"));
    let set = Op::SetSecret(SetSecret {
        entry: uid(9),
        secret,
    });
    sandbox::record(&sandbox, &[Op::CreateEntry(Box::new(hook)), set]);
    let listed = sandbox.say("webhook list --json").json();
    let hook = &listed["webhooks"][0];
    assert_eq!(
        (&hook["name"], &hook["signed"]),
        (&json!("deploy"), &json!(true))
    );
    let text = sandbox.say("webhook list").ok();
    assert!(text.contains("deploy") && !text.contains("pssst"), "{text}");
    let refused = sandbox.say("webhook test deploy").failed(1);
    assert!(!refused.contains("pssst"));
    let taking = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = Vec::new();
        while !String::from_utf8_lossy(&bytes).ends_with("}}") {
            let mut some = [0; 4096];
            let count = stream.read(&mut some).unwrap();
            bytes.extend_from_slice(&some[..count]);
        }
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            .unwrap();
        String::from_utf8_lossy(&bytes).to_ascii_lowercase()
    });
    let outcome = sandbox.say("webhook test 09090909 --private --json").json();
    assert_eq!(
        (&outcome["success"], &outcome["response_body"]),
        (&json!(true), &json!("ok"))
    );
    let sent = taking.join().unwrap();
    assert!(
        sent.contains("x-mlflow-signature: v1,") && !sent.contains("pssst"),
        "{sent}"
    );
    // An export has everything but the secret.
    let file = sandbox.work().join("all.json");
    sandbox.say(&format!("export {}", file.display())).ok();
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains("deploy") && text.contains("churn") && !text.contains("pssst"));
}
