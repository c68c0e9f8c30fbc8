use axum::http::Method;
use serde_json::{Value, json};

use crate::mlflow::testing::{Server, check_refusal, text};

async fn send(server: &Server, method: Method, route: &str, body: Value) -> Value {
    let path = format!("/api/2.0/mlflow/{route}");
    let answer = server.send(method, &path, &body.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

async fn version(server: &Server, name: &str) -> Value {
    let run = server.run().await;
    let source = format!("runs:/{run}/model");
    let body = json!({ "name": name, "source": source, "run_id": run });
    let mut answer = server.told("model-versions/create", body).await;
    answer["model_version"].take()
}

#[tokio::test]
async fn a_model_is_made_described_renamed_and_deleted() {
    let server = Server::new();
    let body = json!({ "name": "m", "description": "d", "tags": [{"key": "k", "value": "v"}] });
    let made = server.told("registered-models/create", body.clone()).await;
    let model = &made["registered_model"];
    assert_eq!(
        (text(&model["name"]), text(&model["description"])),
        ("m".to_owned(), "d".to_owned())
    );
    assert_eq!(model["tags"], json!([{"key": "k", "value": "v"}]));
    assert_eq!(model["creation_timestamp"], model["last_updated_timestamp"]);
    assert!(model.get("aliases").is_none() && model.get("latest_versions").is_none());
    let taken = (
        "RESOURCE_ALREADY_EXISTS",
        "Registered Model (name=m) already exists",
    );
    server
        .refused("registered-models/create", body, taken)
        .await;
    let renamed = server
        .told(
            "registered-models/rename",
            json!({"name": "m", "new_name": "n"}),
        )
        .await;
    assert_eq!(renamed["registered_model"]["name"], "n");
    let body = json!({"name": "n", "description": ""});
    let updated = send(&server, Method::PATCH, "registered-models/update", body).await;
    assert!(updated["registered_model"].get("description").is_none());
    assert_eq!(version(&server, "n").await["version"], "1");
    let body = json!({ "name": "n" });
    let deleted = send(&server, Method::DELETE, "registered-models/delete", body).await;
    assert_eq!(deleted, json!({}));
    let answer = server.get("registered-models/get?name=n").await;
    let gone = (
        "RESOURCE_DOES_NOT_EXIST",
        "Registered Model with name=n not found",
    );
    check_refusal(&answer, gone, std::panic::Location::caller());
    // Its name is free, and numbers begin anew.
    server
        .told("registered-models/create", json!({"name": "n"}))
        .await;
    assert_eq!(version(&server, "n").await["version"], "1");
}

#[tokio::test]
async fn names_that_cannot_be_are_refused() {
    let server = Server::new();
    for (name, words) in [
        ("a/b", "Names cannot contain '/' or ':'"),
        ("a:b", "Names cannot contain '/' or ':'"),
        ("", "Missing value for required parameter 'name'"),
        ("..", "must not resolve to other names"),
    ] {
        let refused = ("INVALID_PARAMETER_VALUE", words);
        server
            .refused("registered-models/create", json!({ "name": name }), refused)
            .await;
    }
}

#[tokio::test]
async fn aliases_lead_to_versions_until_those_are_deleted() {
    let server = Server::new();
    server
        .told("registered-models/create", json!({"name": "m"}))
        .await;
    for _ in 0..2 {
        version(&server, "m").await;
    }
    let body = json!({"name": "m", "alias": "champion", "version": "2"});
    server.told("registered-models/alias", body).await;
    let model = server.seen("registered-models/get?name=m").await;
    let aliases = json!([{"alias": "champion", "version": "2"}]);
    assert_eq!(model["registered_model"]["aliases"], aliases);
    let led = server
        .seen("registered-models/alias?name=m&alias=champion")
        .await;
    let found = &led["model_version"];
    assert_eq!(
        (text(&found["version"]), &found["aliases"]),
        ("2".to_owned(), &json!(["champion"]))
    );
    let led = server
        .seen("registered-models/alias?name=m&alias=Latest")
        .await;
    assert_eq!(led["model_version"]["version"], "2");
    for (alias, words) in [
        (
            "latest",
            "'latest' alias name (case insensitive) is reserved",
        ),
        ("v3", "Version alias name 'v3' is reserved"),
        ("a b", "Invalid alias name"),
    ] {
        let body = json!({"name": "m", "alias": alias, "version": "1"});
        let refused = ("INVALID_PARAMETER_VALUE", words);
        server
            .refused("registered-models/alias", body, refused)
            .await;
    }
    let body = json!({"name": "m", "version": "2"});
    send(&server, Method::DELETE, "model-versions/delete", body).await;
    let answer = server
        .get("registered-models/alias?name=m&alias=champion")
        .await;
    let unknown = ("INVALID_PARAMETER_VALUE", "alias champion not found");
    check_refusal(&answer, unknown, std::panic::Location::caller());
    // The number of what was deleted is not given again.
    assert_eq!(version(&server, "m").await["version"], "3");
    let body = json!({"name": "m", "alias": "nothing"});
    send(&server, Method::DELETE, "registered-models/alias", body).await;
}

#[tokio::test]
async fn prompts_are_hidden_unless_they_are_asked_for() {
    let server = Server::new();
    server
        .told("registered-models/create", json!({"name": "model"}))
        .await;
    let tags =
        json!([{"key": "mlflow.prompt.is_prompt", "value": "true"}, {"key": "a", "value": "b"}]);
    let prompt = json!({"name": "prompt", "tags": tags});
    let made = server
        .told("registered-models/create", prompt.clone())
        .await;
    let tag = |key: &str, value: &str| json!({"key": key, "value": value});
    let expected = json!([tag("a", "b"), tag("mlflow.prompt.is_prompt", "true")]);
    assert_eq!(made["registered_model"]["tags"], expected);
    let body = json!({"name": "prompt"});
    let taken = ("RESOURCE_ALREADY_EXISTS", "already taken by a prompt");
    server
        .refused("registered-models/create", body, taken)
        .await;
    let taken = (
        "RESOURCE_ALREADY_EXISTS",
        "Prompt (name=prompt) already exists",
    );
    server
        .refused("registered-models/create", prompt, taken)
        .await;
    let names = async |filter: &str| {
        let route = format!("registered-models/search?filter={filter}");
        let found = server.seen(&route).await;
        let models = found["registered_models"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        models
            .iter()
            .map(|model| text(&model["name"]))
            .collect::<Vec<_>>()
    };
    assert_eq!(names("").await, ["model"]);
    let asked = "tags.%60mlflow.prompt.is_prompt%60%20%3D%20%27true%27";
    assert_eq!(names(asked).await, ["prompt"]);
    assert_eq!(names("name%20LIKE%20%27m%25%27").await, ["model"]);
    let answer = server.get("registered-models/search?filter=size%3D1").await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn the_text_of_a_prompt_is_a_tag_of_its_version() {
    let server = Server::new();
    let is_prompt = json!({"key": "mlflow.prompt.is_prompt", "value": "true"});
    let body = json!({"name": "p", "tags": [is_prompt]});
    server.told("registered-models/create", body).await;
    let said = json!({"key": "mlflow.prompt.text", "value": "Say {{what}}"});
    let body = json!({"name": "p", "source": "dummy-source", "tags": [is_prompt, said], "description": "first"});
    let made = server.told("model-versions/create", body).await;
    let tags = made["model_version"]["tags"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    assert!(tags.contains(&is_prompt) && tags.contains(&said), "{made}");
    assert_eq!(made["model_version"]["source"], "dummy-source");
    let body = json!({"name": "p", "source": "s3://x", "tags": [is_prompt]});
    let refused = ("INVALID_PARAMETER_VALUE", "Invalid prompt source");
    server.refused("model-versions/create", body, refused).await;
    let found = server.seen("model-versions/search").await;
    assert_eq!(found, json!({}), "versions of prompts are hidden");
}

#[tokio::test]
async fn models_are_found_in_pages_by_their_names() {
    let server = Server::new();
    for name in ["b", "a", "c"] {
        server
            .told("registered-models/create", json!({ "name": name }))
            .await;
    }
    let first = server.seen("registered-models/search?max_results=2").await;
    let names = |found: &Value| -> Vec<String> {
        let models = found["registered_models"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        models.iter().map(|model| text(&model["name"])).collect()
    };
    assert_eq!(names(&first), ["a", "b"]);
    let token = text(&first["next_page_token"]);
    let route = format!("registered-models/search?max_results=2&page_token={token}");
    let second = server.seen(&route).await;
    assert_eq!(
        (names(&second), second.get("next_page_token")),
        (vec!["c".to_owned()], None)
    );
    let newest = "registered-models/search?order_by=last_updated_timestamp%20DESC";
    assert_eq!(names(&server.seen(newest).await), ["c", "a", "b"]);
}
