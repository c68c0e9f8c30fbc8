use proptest::prelude::*;
use serde_json::json;

use super::*;

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

#[track_caller]
fn check_text(given: &str, expected: &str) {
    assert_eq!(text(given).content, expected);
}

#[test]
fn keys_of_known_makers_are_found_in_output() {
    check_text("key sk-abcdef0123456789XYZ!", "key [redacted]!");
    check_text("(ghp_0123456789abcdefghijABCDEFGHIJ)", "([redacted])");
    check_text("AKIAIOSFODNN7EXAMPLE,", "[redacted],");
    check_text("x=hf_0123456789abcdefghijklmnop", "x=[redacted]");
    check_text("xoxb-12345-abcdefghij", "[redacted]");
    check_text(
        "see https://hooks.slack.com/services/T0/B0/xyzXYZ, 'http://hooks.slack.com/services/'",
        "see https://hooks.slack.com/services/[redacted] 'http://hooks.slack.com/services/'",
    );
    check_text(
        "t eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.c2ln-nat_ure t",
        "t [redacted] t",
    );
    check_text(
        "Authorization: Bearer abcDEF012345678",
        "Authorization: Bearer [redacted]",
    );
    check_text(
        "authorization: basic dXNlcjpwYXNzd29yZA==",
        "authorization: basic [redacted]",
    );
    check_text(
        "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nb",
        "a\n[redacted]\nb",
    );
    check_text("-----BEGIN PRIVATE KEY-----\nMIIE", "[redacted]");
    check_text(
        "-----BEGIN PRIVATE KEY-----\nMIIE\nstep 1, loss 0.5\n",
        "[redacted]step 1, loss 0.5\n",
    );
}

#[test]
fn ordinary_output_is_left_alone() {
    for plain in [
        "loss=0.123 step=45 task-0123456789abcdefgh disk-1234567890123456",
        "risk-learn is fun; sk-learn-is-a-library-for-everybody",
        "bearer of good news, token embeddings, basic authentication works",
        "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
        "see https://example.org/a?page=2&key_id=7#top and git@github.com:a/b.git",
        "http://localhost:8080/x@y postgres://me@db/book ssh://git@host/repo",
        "eyJ is how a token begins",
        "naïve 日本語 ✓ \u{0}",
        "",
    ] {
        let found = text(plain);
        assert_eq!(found.content, plain);
        assert!(matches!(found.content, Cow::Borrowed(_)));
        assert_eq!(found.dropped, Vec::<String>::new());
    }
}

#[test]
fn urls_lose_credentials_and_secret_parameters() {
    let check = |given: &str, expected: &str| assert_eq!(url(given).content, expected);
    check("https://me:pw@host/r.git", "https://[redacted]@host/r.git");
    check("https://ghp_x@host/r.git", "https://[redacted]@host/r.git");
    check(
        "postgres://u:p/w@host:5432/db",
        "postgres://[redacted]@host:5432/db",
    );
    check("git+https://u:p@ss@host/", "git+https://[redacted]@host/");
    check(
        "https://h/p?a=1&access_token=abc&X-Amz-Signature=0f#id_token=q",
        "https://h/p?a=1&access_token=[redacted]&X-Amz-Signature=[redacted]#id_token=[redacted]",
    );
    check(
        "http://h/?next=https://u:p@i/",
        "http://h/?next=https://[redacted]@i/",
    );
    assert_eq!(url("https://h/?a=1&api_key=v").dropped, ["api_key"]);
}

#[test]
fn variables_with_secret_names_are_gone() {
    let variables = [
        ("OPENAI_API_KEY", "abc"),
        ("HOME", "/users/me"),
        ("REMOTE", "https://me:pw@host/"),
        ("MONKEY", "banana"),
        ("DSN", "host=db password=hunter2 user=me"),
    ];
    let found = env(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(found.dropped, ["OPENAI_API_KEY", "REMOTE", "MONKEY", "DSN"]);
    let kept: Vec<&str> = found.content.values().map(String::as_str).collect();
    assert_eq!(
        kept,
        [
            "host=db password=[redacted] user=me",
            "/users/me",
            "https://[redacted]@host/"
        ]
    );
}

#[track_caller]
fn check_argv(given: &[&str], expected: &[&str]) {
    assert_eq!(argv(&strings(given)).content, strings(expected));
}

#[test]
fn options_lose_their_secret_values() {
    check_argv(
        &[
            "train",
            "--api-key=v",
            "--password",
            "v",
            "--max-tokens",
            "512",
        ],
        &[
            "train",
            "--api-key=[redacted]",
            "--password",
            "[redacted]",
            "--max-tokens",
            "512",
        ],
    );
    check_argv(
        &[
            "-u",
            "me:pw",
            "-u",
            "1000:1000",
            "--no-auth",
            "x",
            "--token-file",
            "a.txt",
        ],
        &[
            "-u",
            "me:[redacted]",
            "-u",
            "1000:1000",
            "--no-auth",
            "x",
            "--token-file",
            "a.txt",
        ],
    );
    let unfinished = ["--password", "--verbose", "--token"];
    check_argv(&unfinished, &unfinished);
    let found = argv(&strings(&[
        "--api-key=v",
        "--password",
        "w",
        "opt.secret=z",
    ]));
    assert_eq!(found.dropped, ["api-key", "password", "opt.secret"]);
}

#[test]
fn headers_shell_text_and_documents_are_looked_into() {
    check_argv(
        &[
            "-H",
            "X-Api-Key: a b",
            "--header=Authorization: Token abcDEF0123456",
        ],
        &[
            "-H",
            "X-Api-Key: [redacted]",
            "--header=Authorization: [redacted]",
        ],
    );
    check_argv(
        &["-H", "Authorization: Bearer short"],
        &["-H", "Authorization: [redacted]"],
    );
    check_argv(
        &["DB_PASS=hunter2 ./run --key \"$API_KEY\" TOKEN=$TOKEN x"],
        &["DB_PASS=[redacted] ./run --key \"$API_KEY\" TOKEN=$TOKEN x"],
    );
    check_argv(
        &[r#"{"lr": 0.10, "password": "v"}"#, r#"{"lr": 0.10}"#],
        &[r#"{"lr":0.1,"password":"[redacted]"}"#, r#"{"lr": 0.10}"#],
    );
}

#[test]
fn configs_lose_values_under_secret_names_only() {
    let found = json(json!({
        "experiment": {"author": "Ada", "description": "about tokens: many"},
        "models": [{"api_key": "v", "max_tokens": 512, "password": 1234, "private": true}],
        "credentials": {"user": "me", "list": ["x", null]},
        "token": "",
        "primary_key": "id",
        "remote": "https://u:p@host/",
    }));
    assert_eq!(
        found.content,
        json!({
            "experiment": {"author": "Ada", "description": "about tokens: many"},
            "models": [{"api_key": MARK, "max_tokens": 512, "password": MARK, "private": true}],
            "credentials": {"user": MARK, "list": [MARK, null]},
            "token": "",
            "primary_key": "id",
            "remote": "https://[redacted]@host/",
        })
    );
    assert_eq!(
        found.dropped,
        [
            "models[0].api_key",
            "models[0].password",
            "credentials.user",
            "credentials.list[0]",
            "remote"
        ]
    );
}

#[test]
fn diffs_lose_values_beside_secret_names() {
    let given = concat!(
        "--- a/.env\n+++ b/.env\n",
        "-DB_PASSWORD=a b c\r\n",
        "+api_key: 'x y'\n",
        "+token: str = \"abc\"\n",
        "+    password = read_password(path)\n",
        "+cfg[\"secret\"] = 'q\\'r' # why\n",
        "+url = 'https://u:p@h/'\n",
        " author = \"Ada\"\n",
        " if token == other:\n",
    );
    let expected = concat!(
        "--- a/.env\n+++ b/.env\n",
        "-DB_PASSWORD=[redacted]\r\n",
        "+api_key: '[redacted]'\n",
        "+token: str = \"[redacted]\"\n",
        "+    password = read_password(path)\n",
        "+cfg[\"secret\"] = '[redacted]' # why\n",
        "+url = 'https://[redacted]@h/'\n",
        " author = \"Ada\"\n",
        " if token == other:\n",
    );
    assert_eq!(diff(given).content, expected);
}

/// A key of some maker, and its part that must not survive.
fn planted() -> impl Strategy<Value = String> {
    prop_oneof![
        "sk-[A-Za-z]{8}[0-9]{8}[A-Za-z0-9_-]{0,30}",
        "gh[pousr]_[A-Za-z]{10}[0-9]{10}[A-Za-z0-9]{0,20}",
        "AKIA[A-Z]{8}[0-9]{8}",
        "xox[bap]-[0-9]{6}-[A-Za-z0-9]{8,30}",
        "hf_[A-Za-z]{20}[0-9]{14}",
        "eyJ[A-Za-z0-9_-]{12,40}\\.eyJ[A-Za-z0-9_-]{12,40}\\.[A-Za-z0-9_-]{0,40}",
        "-----BEGIN (RSA |EC |)PRIVATE KEY-----\n([A-Za-z0-9+/]{20}\n){1,4}",
    ]
}

/// A secret of no known form, without bytes that would end it.
fn unknown() -> impl Strategy<Value = String> {
    "[A-Za-z0-9!%*+._~^-]{12,30}".prop_filter("not an option or marked", |it| {
        !it.starts_with('-') && !it.contains("redacted")
    })
}

fn secret_name() -> impl Strategy<Value = String> {
    proptest::sample::select(vec![
        "api_key",
        "apiKey",
        "X-Api-Key",
        "password",
        "client_secret",
        "hf_token",
        "authToken",
        "OPENAI_KEY",
        "db.pass",
        "private_key",
        "access-token",
    ])
    .prop_map(str::to_owned)
}

/// Words that hold nothing suspicious, and much that is near to it.
fn prose() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![
            "[a-z]{1,8}",
            "[0-9]{1,4}",
            Just("sk-".to_owned()),
            Just("Bearer".to_owned()),
            Just("://".to_owned()),
            Just("日本".to_owned()),
            Just("-----BEGIN".to_owned()),
            Just("https://h.org/a?b=c".to_owned()),
        ],
        0..12,
    )
    .prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn a_planted_key_never_survives(before in prose(), secret in planted(), after in prose()) {
        let given = format!("{before} \"{secret}\" {after}");
        let found = [text(&given), diff(&given), value(&given), url(&given)];
        for found in found {
            prop_assert!(!found.content.contains(&secret), "{}", found.content);
            prop_assert!(found.dropped.iter().all(|name| !name.contains(&secret)));
            prop_assert!(!found.dropped.is_empty());
        }
        let plain = format!("{before} {after}");
        prop_assert_eq!(&text(&plain).content, &plain);
    }

    #[test]
    fn a_secret_beside_its_name_never_survives(
        name in secret_name(),
        secret in unknown(),
        plain in "[a-z]{1,8}",
    ) {
        let line = strings(&["run", &format!("--{name}"), &secret, &format!("--{name}={secret}"),
            &format!("{name}={secret}"), "-H", &format!("{name}: {secret}"), &plain]);
        let document = json!({"a": [{&name: &secret}], "b": {&name: {"c": &secret}}, "plain": plain});
        let found = [
            format!("{:?}", argv(&line)),
            format!("{:?}", json(document)),
            format!("{:?}", env([(name.clone(), secret.clone())])),
            format!("{:?}", diff(&format!("+{name}={secret}\n-\"{name}\": \"{secret}\",\n {name}: {secret}\n"))),
            format!("{:?}", url(&format!("https://h/?{name}={secret}&p={plain}"))),
            format!("{:?}", url(&format!("https://{plain}:{secret}@h/{plain}"))),
        ];
        for found in found {
            prop_assert!(!found.contains(&secret), "{}", found);
        }
        prop_assert_eq!(&argv(&line).content[7], &plain);
    }

    #[test]
    fn any_text_is_taken_and_taking_it_twice_changes_nothing(given in any::<String>()) {
        let once = text(&given).content.into_owned();
        prop_assert_eq!(&text(&once).content, &once);
        let once = diff(&given).content.into_owned();
        prop_assert_eq!(&diff(&once).content, &once);
        value(&given);
        argv(std::slice::from_ref(&given));
    }

    #[test]
    fn near_misses_do_not_break_it(given in "(sk-|eyJ|://|@|:|=|\"|'|\\\\|\n|[a-z0]|é|-----BEGIN |token ?){0,30}") {
        text(&given);
        diff(&given);
        value(&given);
        argv(&[given.clone(), given]);
    }
}

#[test]
fn time_grows_with_the_text_only() {
    // Each would take very long if the rest were read again from every word.
    for unit in [
        "sk-",
        "a://",
        "eyJ-",
        "a:b://",
        "-----BEGIN A",
        "?a=",
        "token ",
        "x=\"",
        "key=",
    ] {
        let long = unit.repeat(10_000);
        text(&long);
        diff(&long);
        value(&long);
    }
}
